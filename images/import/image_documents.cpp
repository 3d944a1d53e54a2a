#include "image_documents.h"

#include "base/error.h"
#include "bytes.h"
#include "layout.h"
#include "platform.h"

namespace trine::images {
namespace {

constexpr int kMaxNesting = 4;  ///< of indexes

Location find_blob(FileSet& files, const std::string& path, const Descriptor& descriptor) {
  const auto location = files.find(path);
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

std::string read_blob(FileSet& files, const std::string& path, const Descriptor& descriptor,
                      const std::string& name) {
  const Location location = find_blob(files, path, descriptor);
  if (location.size > kMaxDocument)
    throw base::Error(name + " is larger than 4 MiB");
  FileRange bytes(location.fd, location.offset, location.size, name);
  VerifiedSource verified(bytes, descriptor.digest, descriptor.size);
  return read_to_end(verified, kMaxDocument, name);
}

}  // namespace

std::optional<std::string> read_document(FileSet& files, const std::string& path) {
  const auto location = files.find(path);
  if (!location)
    return std::nullopt;
  if (location->size > kMaxDocument)
    throw base::Error(path + " is larger than 4 MiB");
  FileRange bytes(location->fd, location->offset, location->size, path);
  return read_to_end(bytes, kMaxDocument, path);
}

Document read_document(FileSet& files, const Places& places, const Descriptor& descriptor) {
  (void)digest_hex(descriptor.digest);
  return {.text = read_blob(files, places.manifest(descriptor.digest), descriptor,
                            "the manifest " + descriptor.digest),
          .digest = descriptor.digest};
}

ImageSource describe_image(FileSet& files, const Places& places, Document manifest, const Platform& platform,
                           const std::string& name) {
  auto document = parse_document(manifest.text, "the manifest " + manifest.digest);
  // An index in an index is one image for several platforms.
  for (int level = 0; is_index(document); ++level) {
    if (level == kMaxNesting)
      throw base::Error(name + " nests indexes too deep");
    manifest = read_document(files, places,
                             select(parse_index(document, "the index " + manifest.digest), platform, name));
    document = parse_document(manifest.text, "the manifest " + manifest.digest);
  }
  const Manifest parsed = parse_manifest(document, "the manifest " + manifest.digest);
  ImageSource image{.manifest = std::move(manifest.text), .manifest_digest = std::move(manifest.digest)};
  image.configuration_digest = parsed.config.digest;
  const std::string what = "the configuration " + parsed.config.digest;
  image.configuration = read_blob(files, places.blob(parsed.config.digest), parsed.config, what);
  Configuration configuration = parse_configuration(parse_document(image.configuration, what), what);
  check_platform(configuration.config, platform, name);
  if (configuration.diff_ids.size() != parsed.layers.size()) {
    throw base::Error(what + " names " + std::to_string(configuration.diff_ids.size()) +
                          " layers, the manifest " + std::to_string(parsed.layers.size()),
                      0, "the image is damaged or forged");
  }
  for (std::size_t i = 0; i < parsed.layers.size(); ++i) {
    const Descriptor& layer = parsed.layers[i];
    image.layers.push_back({.location = find_blob(files, places.blob(layer.digest), layer),
                            .digest = layer.digest,
                            .diff_id = configuration.diff_ids[i]});
  }
  image.config = std::move(configuration.config);
  return image;
}

}  // namespace trine::images
