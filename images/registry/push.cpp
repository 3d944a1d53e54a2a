#include "push.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "document.h"
#include "export/packed_layer.h"
#include "hash.h"
#include "images/store.h"
#include "importer.h"
#include "media_types.h"
#include "reference/registries.h"
#include "upload.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr const char* kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

class Push {
 public:
  Push(const PushOptions& options, const Reference& target, const Source& place)
      : options_(options),
        target_(target),
        store_(options.store, options.mounts),
        endpoint_(transfers_, place, options.client, Endpoint::Access::kPush) {}

  std::string run(const Image& image) {
    const base::UniqueFd lease = store_.lease(image);
    Importer temporary(options_.store, true);  // a directory of our own, which goes with us
    manifest_ = Json::parse(store_.manifest_json(image));
    configuration_ = Json::parse(store_.config_json(image));
    const Manifest parsed = parse_manifest(manifest_, "the manifest of " + target_.full());
    find_origins(image);
    Progress progress(options_.progress);
    std::vector<ProgressLine> lines;
    for (std::size_t i = 0; i < parsed.layers.size(); ++i) {
      const Descriptor& layer = parsed.layers[i];
      ProgressLine line{.name = "layer " + layer.digest.substr(layer.digest.find(':') + 1, 12),
                        .size = layer.size,
                        .done = layer.size,
                        .state = "there already",
                        .ended = true};
      if (!is_there(layer)) {
        // The store lists its layers from the top.
        const MountedLayers mounted = store_.mount_layers(image);
        line.size = line.done =
            send_layer(mounted.at(parsed.layers.size() - 1 - i).directory(), temporary.temporary(), i);
        line.state = "pushed";
      }
      lines.push_back(std::move(line));
      progress.finish(lines);
    }
    return send_documents(image);
  }

 private:
  /// Other repositories of the same registry that the image has names of.
  void find_origins(const Image& image) {
    for (const auto& other : store_.list()) {
      if (other.digest != image.digest)
        continue;
      for (const auto& name : other.names) {
        const Reference reference = parse_reference(name);
        if (reference.domain == target_.domain && reference.repository != target_.repository &&
            std::ranges::find(origins_, reference.repository) == origins_.end())
          origins_.push_back(reference.repository);
      }
    }
  }

  bool is_there(const Descriptor& layer) {
    if (has_blob(endpoint_, layer))
      return true;
    if (!asked_for_origins_) {
      for (const auto& origin : origins_)
        endpoint_.also_pull(origin);
      asked_for_origins_ = true;
    }
    return std::ranges::any_of(
        origins_, [&](const std::string& origin) { return mount_blob(endpoint_, layer, origin); });
  }

  /// Returns its size as it is sent.
  std::uint64_t send_layer(const std::string& directory, const std::string& temporary, std::size_t index) {
    const PackedLayer packed = pack_to_file(directory, temporary, Packing::kGzip);
    const Descriptor blob{.digest = packed.digest, .size = packed.size};
    if (!has_blob(endpoint_, blob)) {
      upload_blob(endpoint_, blob, [&] {
        return std::make_unique<FileRange>(packed.file.get(), 0, packed.size, "a packed layer");
      });
    }
    const bool docker = manifest_.value("mediaType", "") == kDockerManifest;
    manifest_["layers"][index] = {{"mediaType", docker ? kDockerLayer : kOciGzipLayer},
                                  {"digest", packed.digest},
                                  {"size", packed.size}};
    configuration_.at("rootfs").at("diff_ids").at(index) = packed.diff_id;
    repacked_ = true;
    return packed.size;
  }

  std::string send_documents(const Image& image) {
    std::string configuration = store_.config_json(image);
    std::string manifest = store_.manifest_json(image);
    if (repacked_) {
      configuration = configuration_.dump();
      manifest_["config"]["digest"] = sha256(configuration);
      manifest_["config"]["size"] = configuration.size();
      manifest = manifest_.dump();
    }
    const Descriptor blob{.digest = manifest_.at("config").at("digest"), .size = configuration.size()};
    if (!has_blob(endpoint_, blob))
      upload_blob(endpoint_, blob, [&] { return std::make_unique<MemorySource>(configuration); });
    const std::string digest = repacked_ ? sha256(manifest) : image.digest;
    upload_manifest(endpoint_, target_.tag.empty() ? digest : target_.tag, manifest,
                    manifest_.value("mediaType", kOciManifest));
    return digest;
  }

  const PushOptions& options_;
  Reference target_;
  Store store_;
  Transfers transfers_;
  Endpoint endpoint_;
  Json manifest_, configuration_;
  std::vector<std::string> origins_;
  bool asked_for_origins_ = false;
  bool repacked_ = false;
};

}  // namespace

Pushed push(const PushOptions& options, const std::string& image, const std::string& name) {
  const Reference target = parse_reference(name);
  if (!target.digest.empty())
    throw base::Error("cannot push to " + name + ": a digest is what a push results in", 0,
                      "name a tag, or none");
  const auto found = Store(options.store, options.mounts).find(image);
  if (!found)
    throw base::Error("there is no image " + image + " in the store", 0, "trine images lists them");
  // A mirror is for pulling.
  const Source place = Registries::load().sources(target).back();
  return {.digest = Push(options, target, place).run(*found), .name = target.familiar()};
}

}  // namespace trine::images
