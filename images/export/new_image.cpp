#include "export/new_image.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/time.h"
#include "document.h"
#include "export/config_changes.h"
#include "hash.h"
#include "media_types.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

/// A manifest has the types of one family.
std::string oci_type(const std::string& type) {
  if (type.empty() || type == "application/vnd.docker.image.rootfs.diff.tar")
    return kOciLayer;
  if (type == "application/vnd.docker.image.rootfs.diff.tar.gzip")
    return std::string(kOciLayer) + "+gzip";
  if (type == "application/vnd.docker.image.rootfs.diff.tar.zstd")
    return std::string(kOciLayer) + "+zstd";
  return type;
}

Json descriptor(const std::string& type, const std::string& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

Json empty_configuration(const Platform& platform) {
  Json configuration{{"os", platform.os}, {"architecture", platform.architecture}};
  if (!platform.variant.empty())
    configuration["variant"] = platform.variant;
  configuration["config"] = Json::object();
  configuration["rootfs"] = {{"type", "layers"}, {"diff_ids", Json::array()}};
  configuration["history"] = Json::array();
  return configuration;
}

void describe(Json& configuration, const PackedLayer& layer, const Description& description) {
  const std::string now = base::now_utc();
  for (const char* key : {"container", "container_config", "docker_version", "id", "parent"})
    configuration.erase(key);
  configuration["created"] = now;
  Json step{{"created", now}};
  const auto add = [](Json& object, const char* key, const std::string& value) {
    if (!value.empty())
      object[key] = value;
  };
  add(configuration, "author", description.author);
  add(step, "created_by", description.created_by);
  add(step, "author", description.author);
  add(step, "comment", description.message);
  Json& history = configuration["history"];
  if (!history.is_array())
    history = Json::array();
  history.push_back(std::move(step));
  configuration["rootfs"]["diff_ids"].push_back(layer.diff_id);
  apply_changes(configuration["config"], description.changes);
}

/// A command may hold bytes that are no UTF-8.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

ImageSource add_layer(const Store& store, const std::optional<Image>& base, const Platform& platform,
                      const PackedLayer& layer, const Description& description) {
  Json configuration = empty_configuration(platform);
  std::vector<Descriptor> below;
  if (base) {
    configuration = parse_document(store.config_json(*base), "the configuration of the image");
    below = parse_manifest(parse_document(store.manifest_json(*base), "the manifest of the image"),
                           "the manifest of the image")
                .layers;
  }
  if (below.size() + 1 > kMaxLayers)
    throw base::Error("the image would have more than 500 layers", 0, "trine export makes one of them all");
  describe(configuration, layer, description);

  ImageSource image;
  image.configuration = text_of(configuration);
  image.configuration_digest = sha256(image.configuration);
  Configuration parsed = parse_configuration(
      parse_document(image.configuration, "the new image's configuration"), "the new image's configuration");
  if (parsed.diff_ids.size() != below.size() + 1)
    throw base::Error("the store's record of the image is damaged: its documents differ in their layers", 0,
                      "trine system check --repair");
  Json layers = Json::array();
  for (std::size_t i = 0; i < below.size(); ++i) {
    layers.push_back(descriptor(oci_type(below[i].media_type), below[i].digest, below[i].size));
    image.layers.push_back(
        {.location = {.size = below[i].size}, .digest = below[i].digest, .diff_id = parsed.diff_ids[i]});
  }
  layers.push_back(descriptor(kOciLayer, layer.digest, layer.size));
  image.layers.push_back({.location = {.fd = layer.file.get(), .offset = 0, .size = layer.size},
                          .digest = layer.digest,
                          .diff_id = layer.diff_id});
  image.config = std::move(parsed.config);
  image.manifest =
      text_of({{"schemaVersion", 2},
               {"mediaType", kOciManifest},
               {"config", descriptor(kOciConfig, image.configuration_digest, image.configuration.size())},
               {"layers", std::move(layers)}});
  image.manifest_digest = sha256(image.manifest);
  return image;
}

}  // namespace trine::images
