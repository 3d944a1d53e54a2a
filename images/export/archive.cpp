#include "export/archive.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <set>

#include "base/error.h"
#include "hash.h"
#include "layout.h"
#include "media_types.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr const char* kNameAnnotation = "org.opencontainers.image.ref.name";

Json descriptor(const char* type, const std::string& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

/// An image's documents as they fit the layers that were packed anew.
struct Repacked {
  std::string configuration;
  std::string configuration_digest;
  std::string manifest;
  std::vector<std::string> layers;  ///< digests, lowest first
};

/// Packs the layers, gives each in turn to `sink`, and says what is to be said of them.
Repacked repack(const Store& store, const Image& image, const std::string& temporary,
                const std::function<void(const PackedLayer&)>& sink) {
  const base::UniqueFd lease = store.lease(image);
  Repacked result{.configuration = store.config_json(image)};
  Json configuration = Json::parse(result.configuration);
  Json layers = Json::array();
  Json diff_ids = Json::array();
  const MountedLayers mounted = store.mount_layers(image);
  for (auto layer = mounted.rbegin(); layer != mounted.rend(); ++layer) {  // the store's topmost is first
    const PackedLayer packed = pack_to_file(layer->directory(), temporary, Packing::kPlain);
    sink(packed);
    layers.push_back(descriptor(kOciLayer, packed.digest, packed.size));
    diff_ids.push_back(packed.diff_id);
    result.layers.push_back(packed.digest);
  }
  if (configuration.at("rootfs").at("diff_ids") != diff_ids) {
    configuration["rootfs"]["diff_ids"] = std::move(diff_ids);
    result.configuration = configuration.dump();
  }
  result.configuration_digest = sha256(result.configuration);
  const Json manifest{
      {"schemaVersion", 2},
      {"mediaType", kOciManifest},
      {"config", descriptor(kOciConfig, result.configuration_digest, result.configuration.size())},
      {"layers", std::move(layers)}};
  result.manifest = manifest.dump();
  return result;
}

std::string blob_path(const std::string& digest) {
  return "blobs/sha256/" + digest_hex(digest);
}

class Layout {
 public:
  Layout(const Store& store, std::string temporary, FileOutput& output)
      : store_(store), temporary_(std::move(temporary)), output_(output) {
    for (const char* directory : {"blobs", "blobs/sha256"})
      output_.add_directory(directory);
  }

  void add(const Image& image) {
    const Repacked repacked = repack(store_, image, temporary_, [&](const PackedLayer& layer) {
      if (written_.insert(layer.digest).second)
        output_.add_layer(blob_path(layer.digest), layer);
    });
    Json files = Json::array();
    for (const auto& digest : repacked.layers)
      files.push_back(blob_path(digest));
    const std::string id = add_blob(repacked.configuration);
    add_to_index(image, descriptor(kOciManifest, add_blob(repacked.manifest), repacked.manifest.size()));
    docker_.push_back({{"Config", blob_path(id)}, {"RepoTags", image.names}, {"Layers", std::move(files)}});
  }

  void finish() {
    const Json index{{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", manifests_}};
    output_.add_text("index.json", index.dump());
    output_.add_text("manifest.json", docker_.dump());
    output_.add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }

 private:
  std::string add_blob(const std::string& text) {
    std::string digest = sha256(text);
    if (written_.insert(digest).second)
      output_.add_text(blob_path(digest), text);
    return digest;
  }

  void add_to_index(const Image& image, Json entry) {
    if (image.names.empty())
      manifests_.push_back(entry);
    for (const auto& name : image.names) {
      entry["annotations"] = {{kNameAnnotation, name}};
      manifests_.push_back(entry);
    }
  }

  const Store& store_;
  std::string temporary_;
  FileOutput& output_;
  std::set<std::string> written_;
  Json manifests_ = Json::array();
  Json docker_ = Json::array();
};

}  // namespace

void write_layout(const Store& store, const std::vector<Image>& images, const std::string& temporary,
                  FileOutput& output) {
  Layout layout(store, temporary, output);
  for (const auto& image : images)
    layout.add(image);
  layout.finish();
}

void write_dir(const Store& store, const Image& image, const std::string& temporary, FileOutput& output) {
  std::set<std::string> written;
  const Repacked repacked = repack(store, image, temporary, [&](const PackedLayer& layer) {
    if (written.insert(layer.digest).second)
      output.add_layer(digest_hex(layer.digest), layer);
  });
  output.add_text(digest_hex(repacked.configuration_digest), repacked.configuration);
  output.add_text("manifest.json", repacked.manifest);
  output.add_text("version", "Directory Transport Version: 1.1\n");
}

}  // namespace trine::images
