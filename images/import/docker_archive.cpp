#include <algorithm>

#include "base/error.h"
#include "bytes.h"
#include "hash.h"
#include "images/name.h"
#include "layout.h"
#include "media_types.h"
#include "platform.h"
#include "source.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

std::string read_file(FileSet& files, const std::string& path, const std::string& name) {
  const auto location = files.find(path);
  if (!location)
    throw base::Error(name + " has no " + path, 0, "it is incomplete: save the image again");
  if (location->size > kMaxDocument)
    throw base::Error(path + " is larger than 4 MiB");
  FileRange bytes(location->fd, location->offset, location->size, path);
  return read_to_end(bytes, kMaxDocument, path);
}

std::string text_of(const Json& entry, const char* key, const std::string& name) {
  if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string()) {
    throw base::Error(name + ": its manifest.json has an entry without " + key);
  }
  return entry[key].get<std::string>();
}

std::vector<std::string> list_of(const Json& entry, const char* key, const std::string& name) {
  std::vector<std::string> result;
  if (!entry.contains(key) || entry[key].is_null())
    return result;
  if (!entry[key].is_array())
    throw base::Error(name + ": its manifest.json has " + key + " that are no list");
  for (const auto& item : entry[key]) {
    if (!item.is_string())
      throw base::Error(name + ": its manifest.json has " + key + " with what is no text");
    result.push_back(item.get<std::string>());
  }
  return result;
}

/// The configuration's file is called by its digest, with or without ".json"; a name that lies is refused.
void check_name(const std::string& path, const std::string& digest) {
  std::string file = path.substr(path.find_last_of('/') + 1);
  if (file.ends_with(".json"))
    file.erase(file.size() - 5);
  const bool is_digest = file.size() == 64 && file.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_digest && file != digest_hex(digest)) {
    throw base::Error("the configuration " + path + " does not match its digest: what is there has " + digest,
                      0, "the image is damaged or forged");
  }
}

/// These archives ship no manifest: one is written for the store, naming the layers by their own digests.
std::string make_manifest(const ImageSource& image) {
  Json layers = Json::array();
  for (const auto& layer : image.layers) {
    layers.push_back({{"mediaType", kOciLayer}, {"digest", layer.diff_id}, {"size", layer.location.size}});
  }
  const Json manifest{{"schemaVersion", 2},
                      {"mediaType", kOciManifest},
                      {"config",
                       {{"mediaType", kOciConfig},
                        {"digest", image.configuration_digest},
                        {"size", image.configuration.size()}}},
                      {"layers", layers}};
  return manifest.dump();
}

ImageSource read_image(FileSet& files, const Json& entry, const Platform& platform, const std::string& name) {
  ImageSource image;
  const std::string path = text_of(entry, "Config", name);
  image.configuration = read_file(files, path, name);
  image.configuration_digest = sha256(image.configuration);
  check_name(path, image.configuration_digest);
  const std::string what = "the configuration " + path;
  Configuration configuration = parse_configuration(parse_document(image.configuration, what), what);
  check_platform(configuration.config, platform, name);
  const auto layers = list_of(entry, "Layers", name);
  if (layers.size() > kMaxLayers)
    throw base::Error(name + " has more than 500 layers");
  if (layers.size() != configuration.diff_ids.size()) {
    throw base::Error(what + " names " + std::to_string(configuration.diff_ids.size()) +
                          " layers, manifest.json " + std::to_string(layers.size()),
                      0, "the image is damaged or forged");
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto location = files.find(layers[i]);
    if (!location)
      throw base::Error("the layer " + layers[i] + " is missing", 0, "save the image again");
    image.layers.push_back({.location = *location, .digest = {}, .diff_id = configuration.diff_ids[i]});
  }
  for (auto& tag : list_of(entry, "RepoTags", name)) {
    if (is_name(tag))
      image.names.push_back(std::move(tag));
  }
  image.config = std::move(configuration.config);
  image.manifest = make_manifest(image);
  image.manifest_digest = sha256(image.manifest);
  return image;
}

}  // namespace

std::vector<ImageSource> read_docker_archive(FileSet& files, const std::string& tag, const Platform& platform,
                                             const std::string& name) {
  if (!files.find("manifest.json")) {
    throw base::Error(name + " is no archive of docker save: it has no manifest.json", 0,
                      "an archived OCI layout is oci-archive:FILE");
  }
  const Json manifest = parse_document(read_file(files, "manifest.json", name), "manifest.json");
  if (!manifest.is_array() || manifest.empty())
    throw base::Error(name + ": its manifest.json names no image");
  std::vector<ImageSource> images;
  std::string all;
  for (const auto& entry : manifest) {
    const auto names = list_of(entry, "RepoTags", name);
    for (const auto& known : names)
      all += (all.empty() ? "" : ", ") + known;
    if (tag.empty() || std::ranges::find(names, tag) != names.end())
      images.push_back(read_image(files, entry, platform, name));
  }
  if (images.empty())
    throw base::Error(name + " has no image " + tag, 0, "it has: " + all);
  return images;
}

}  // namespace trine::images
