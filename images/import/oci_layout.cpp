#include <algorithm>

#include "base/error.h"
#include "bytes.h"
#include "hash.h"
#include "images/name.h"
#include "layout.h"
#include "source.h"

namespace trine::images {
namespace {

std::string blob_path(const std::string& digest) {
  (void)digest_hex(digest);
  std::string path = "blobs/" + digest;
  path[path.find(':')] = '/';
  return path;
}

Location find_blob(FileSet& files, const Descriptor& descriptor) {
  const auto location = files.find(blob_path(descriptor.digest));
  if (!location) {
    throw base::Error("the blob " + descriptor.digest + " is missing", 0,
                      "the image is incomplete: copy it again");
  }
  if (location->size != descriptor.size) {
    throw base::Error("the blob " + descriptor.digest + " has " + std::to_string(location->size) +
                          " bytes, not the " + std::to_string(descriptor.size) + " that its manifest gives",
                      0, "the image is damaged or forged: fetch it again");
  }
  return *location;
}

std::string read_blob(FileSet& files, const Descriptor& descriptor, const std::string& name) {
  const Location location = find_blob(files, descriptor);
  if (location.size > kMaxDocument)
    throw base::Error(name + " is larger than 4 MiB");
  FileRange bytes(location.fd, location.offset, location.size, name);
  VerifiedSource verified(bytes, descriptor.digest, descriptor.size);
  return read_to_end(verified, kMaxDocument, name);
}

std::string platforms(const std::vector<Descriptor>& manifests) {
  std::string text;
  for (const auto& manifest : manifests) {
    text += (text.empty() ? "" : ", ") + manifest.os + "/" + manifest.architecture;
  }
  return text.empty() ? "none" : text;
}

/// The manifest for this machine in an index of several.
Descriptor select_platform(const std::vector<Descriptor>& manifests, const std::string& name) {
  for (const auto& manifest : manifests) {
    if (manifest.os == "linux" && manifest.architecture == own_architecture())
      return manifest;
  }
  if (manifests.size() == 1 && manifests.front().architecture.empty())
    return manifests.front();
  throw base::Error(name + " has no image for linux/" + std::string(own_architecture()) + ", only for " +
                    platforms(manifests));
}

std::string tags(const std::vector<Descriptor>& manifests) {
  std::string text;
  for (const auto& manifest : manifests) {
    if (!manifest.ref_name.empty())
      text += (text.empty() ? "" : ", ") + manifest.ref_name;
  }
  return text.empty() ? "none" : text;
}

Descriptor select_tag(const std::vector<Descriptor>& manifests, const std::string& tag,
                      const std::string& name) {
  if (manifests.empty())
    throw base::Error(name + " holds no image");
  if (tag.empty()) {
    if (manifests.size() == 1)
      return manifests.front();
    const bool platforms_only =
        std::ranges::all_of(manifests, [](const auto& entry) { return entry.ref_name.empty(); });
    if (platforms_only)
      return select_platform(manifests, name);
    throw base::Error(name + " holds " + std::to_string(manifests.size()) + " images", 0,
                      "name one of its tags (" + tags(manifests) + "), as in oci:DIR:TAG");
  }
  for (const auto& manifest : manifests) {
    if (manifest.ref_name == tag)
      return manifest;
  }
  throw base::Error(name + " has no tag " + tag, 0, "its tags are: " + tags(manifests));
}

void check_platform(const ImageConfig& config, const std::string& name) {
  if (config.os.empty() || (config.os == "linux" && config.architecture == own_architecture()))
    return;
  throw base::Error("cannot load " + name + ": it is for " + config.os + "/" + config.architecture +
                        ", and this machine is linux/" + std::string(own_architecture()),
                    0, "get the image for this architecture");
}

}  // namespace

std::vector<ImageSource> read_oci_layout(FileSet& files, const std::string& tag, const std::string& name) {
  const auto index = files.find("index.json");
  if (!files.find("oci-layout") || !index) {
    throw base::Error(name + " is no OCI image layout: it has no oci-layout or no index.json", 0,
                      "an archive of docker save is docker-archive:FILE");
  }
  if (index->size > kMaxDocument)
    throw base::Error("index.json is larger than 4 MiB");
  FileRange bytes(index->fd, index->offset, index->size, "index.json");
  auto document = parse_document(read_to_end(bytes, kMaxDocument, "index.json"), "index.json");
  Descriptor chosen = select_tag(parse_index(document, "index.json"), tag, name);
  const std::string ref_name = chosen.ref_name;

  ImageSource image;
  // An index in an index is one image for several platforms.
  constexpr int kMaxNesting = 4;
  for (int level = 0;; ++level) {
    image.manifest = read_blob(files, chosen, "the manifest " + chosen.digest);
    document = parse_document(image.manifest, "the manifest " + chosen.digest);
    if (!is_index(document))
      break;
    if (level == kMaxNesting)
      throw base::Error(name + " nests indexes too deep");
    chosen = select_platform(parse_index(document, "the index " + chosen.digest), name);
  }
  image.manifest_digest = chosen.digest;
  const Manifest manifest = parse_manifest(document, "the manifest " + chosen.digest);
  image.configuration_digest = manifest.config.digest;
  const std::string what = "the configuration " + manifest.config.digest;
  image.configuration = read_blob(files, manifest.config, what);
  Configuration configuration = parse_configuration(parse_document(image.configuration, what), what);
  check_platform(configuration.config, name);
  if (configuration.diff_ids.size() != manifest.layers.size()) {
    throw base::Error(what + " names " + std::to_string(configuration.diff_ids.size()) +
                          " layers, the manifest " + std::to_string(manifest.layers.size()),
                      0, "the image is damaged or forged");
  }
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    image.layers.push_back({.location = find_blob(files, manifest.layers[i]),
                            .digest = manifest.layers[i].digest,
                            .diff_id = configuration.diff_ids[i]});
  }
  image.config = std::move(configuration.config);
  if (is_name(ref_name))
    image.names.push_back(ref_name);
  std::vector<ImageSource> images;
  images.push_back(std::move(image));
  return images;
}

}  // namespace trine::images
