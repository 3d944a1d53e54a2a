#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "image_documents.h"
#include "images/name.h"
#include "platform.h"
#include "source.h"

namespace trine::images {
namespace {

std::string blob_path(const std::string& digest) {
  std::string path = "blobs/" + digest;
  path[path.find(':')] = '/';
  return path;
}

constexpr Places kPlaces{.blob = blob_path, .manifest = blob_path};

std::string tags(const std::vector<Descriptor>& manifests) {
  std::string text;
  for (const auto& manifest : manifests) {
    if (!manifest.ref_name.empty())
      text += (text.empty() ? "" : ", ") + manifest.ref_name;
  }
  return text.empty() ? "none" : text;
}

Descriptor select_tag(const std::vector<Descriptor>& manifests, const std::string& tag,
                      const Platform& platform, const std::string& name) {
  if (manifests.empty())
    throw base::Error(name + " holds no image");
  if (tag.empty()) {
    if (manifests.size() == 1)
      return manifests.front();
    const bool platforms_only =
        std::ranges::all_of(manifests, [](const auto& entry) { return entry.ref_name.empty(); });
    if (platforms_only)
      return select(manifests, platform, name);
    throw base::Error(name + " holds " + std::to_string(manifests.size()) + " images", 0,
                      "name one of its tags (" + tags(manifests) + "), as in oci:DIR:TAG");
  }
  std::vector<Descriptor> tagged;
  std::ranges::copy_if(manifests, std::back_inserter(tagged),
                       [&](const Descriptor& manifest) { return manifest.ref_name == tag; });
  if (tagged.empty())
    throw base::Error(name + " has no tag " + tag, 0, "its tags are: " + tags(manifests));
  return tagged.size() == 1 ? tagged.front() : select(tagged, platform, name);
}

}  // namespace

std::vector<ImageSource> read_oci_layout(FileSet& files, const std::string& tag, const Platform& platform,
                                         const std::string& name) {
  const auto text = read_document(files, "index.json");
  if (!text || !files.find("oci-layout")) {
    throw base::Error(name + " is no OCI image layout: it has no oci-layout or no index.json", 0,
                      "an archive of docker save is docker-archive:FILE");
  }
  const auto index = parse_document(*text, "index.json");
  const Descriptor chosen = select_tag(parse_index(index, "index.json"), tag, platform, name);
  ImageSource image = describe_image(files, kPlaces, read_document(files, kPlaces, chosen), platform, name);
  if (is_name(chosen.ref_name))
    image.names.push_back(chosen.ref_name);
  std::vector<ImageSource> images;
  images.push_back(std::move(image));
  return images;
}

}  // namespace trine::images
