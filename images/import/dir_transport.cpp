#include "base/error.h"
#include "hash.h"
#include "image_documents.h"
#include "layout.h"
#include "source.h"

namespace trine::images {
namespace {

std::string blob_path(const std::string& digest) {
  return digest_hex(digest);
}
std::string manifest_path(const std::string& digest) {
  return digest_hex(digest) + ".manifest.json";
}
constexpr Places kPlaces{.blob = blob_path, .manifest = manifest_path};

}  // namespace

std::vector<ImageSource> read_dir(FileSet& files, const Platform& platform, const std::string& name) {
  const auto manifest = read_document(files, "manifest.json");
  if (!manifest) {
    throw base::Error(name + " holds no image as skopeo writes one to dir:, for it has no manifest.json", 0,
                      "an OCI layout is oci:DIR");
  }
  std::vector<ImageSource> images;
  images.push_back(
      describe_image(files, kPlaces, {.text = *manifest, .digest = sha256(*manifest)}, platform, name));
  return images;
}

}  // namespace trine::images
