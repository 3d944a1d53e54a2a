#include "export/archive.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <set>

#include "base/error.h"
#include "export/packed_layer.h"
#include "hash.h"
#include "images/name.h"
#include "layout.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kLayerType = "application/vnd.oci.image.layer.v1.tar";
constexpr const char* kNameAnnotation = "org.opencontainers.image.ref.name";

std::string blob_path(const std::string& digest) {
  return "blobs/sha256/" + digest_hex(digest);
}

Json descriptor(const char* type, const std::string& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

class Archive {
 public:
  Archive(const Store& store, std::string temporary, const ByteSink& sink)
      : store_(store), temporary_(std::move(temporary)), tar_(sink) {
    for (const char* directory : {"blobs/", "blobs/sha256/"})
      tar_.add({.path = directory, .status = status_of(S_IFDIR | 0755, 0)});
  }

  void add(const Image& image) {
    const base::UniqueFd lease = store_.lease(image);
    Json configuration = Json::parse(store_.config_json(image));
    Json layers = Json::array();
    Json files = Json::array();
    Json diff_ids = Json::array();
    const MountedLayers mounted = store_.mount_layers(image);
    for (auto layer = mounted.rbegin(); layer != mounted.rend(); ++layer) {  // the store's topmost is first
      const PackedLayer packed = pack_to_file(layer->directory(), temporary_, Packing::kPlain);
      add_file(packed);
      layers.push_back(descriptor(kLayerType, packed.digest, packed.size));
      files.push_back(blob_path(packed.digest));
      diff_ids.push_back(packed.diff_id);
    }
    std::string text = store_.config_json(image);
    if (configuration.at("rootfs").at("diff_ids") != diff_ids) {
      configuration["rootfs"]["diff_ids"] = std::move(diff_ids);
      text = configuration.dump();
    }
    const std::string id = add_blob(text);
    const Json manifest{{"schemaVersion", 2},
                        {"mediaType", kManifestType},
                        {"config", descriptor(kConfigType, id, text.size())},
                        {"layers", std::move(layers)}};
    const std::string manifest_text = manifest.dump();
    add_to_index(image, descriptor(kManifestType, add_blob(manifest_text), manifest_text.size()));
    docker_.push_back({{"Config", blob_path(id)}, {"RepoTags", image.names}, {"Layers", std::move(files)}});
  }

  void finish() {
    const Json index{{"schemaVersion", 2},
                     {"mediaType", "application/vnd.oci.image.index.v1+json"},
                     {"manifests", manifests_}};
    add_text("index.json", index.dump());
    add_text("manifest.json", docker_.dump());
    add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    tar_.finish();
  }

 private:
  /// Root's, and of 1970: the same images give the same archive.
  static struct stat status_of(mode_t mode, std::uint64_t size) {
    struct stat status{};
    status.st_mode = mode;
    status.st_size = static_cast<off_t>(size);
    return status;
  }

  void add_text(const std::string& path, const std::string& text) {
    tar_.add({.path = path, .status = status_of(S_IFREG | 0644, text.size())});
    tar_.data(text);
    tar_.end_data();
  }

  std::string add_blob(const std::string& text) {
    std::string digest = sha256(text);
    if (written_.insert(digest).second)
      add_text(blob_path(digest), text);
    return digest;
  }

  void add_file(const PackedLayer& layer) {
    if (!written_.insert(layer.digest).second)
      return;
    tar_.add({.path = blob_path(layer.digest), .status = status_of(S_IFREG | 0644, layer.size)});
    std::array<char, 128 << 10> buffer;
    std::uint64_t offset = 0;
    while (offset < layer.size) {
      const ssize_t got = ::pread(layer.file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
      if (got <= 0)
        base::throw_errno("cannot read a packed layer in " + temporary_);
      tar_.data({buffer.data(), static_cast<std::size_t>(got)});
      offset += static_cast<std::uint64_t>(got);
    }
    tar_.end_data();
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
  TarWriter tar_;
  std::set<std::string> written_;
  Json manifests_ = Json::array();
  Json docker_ = Json::array();
};

}  // namespace

void write_archive(const Store& store, const std::vector<Image>& images, const std::string& temporary,
                   const ByteSink& sink) {
  Archive archive(store, temporary, sink);
  for (const auto& image : images)
    archive.add(image);
  archive.finish();
}

}  // namespace trine::images
