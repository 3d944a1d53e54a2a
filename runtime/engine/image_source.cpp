#include "runtime/engine/image_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "image_helper.h"

namespace trine::runtime::engine {
namespace {

constexpr std::array<std::string_view, 3> kTransports{"oci:", "oci-archive:", "docker-archive:"};

/// Now, so that the first run is as quick as all others, and none changes the host's mounts.
void mount_loaded(const images::Store& store, const std::string& digest) {
  try {
    const auto image = store.find(digest);
    if (!image)
      return;
    const base::UniqueFd lease = store.lease(*image);
    (void)store.mount_layers(*image);
  } catch (const base::Error&) {
    // A run tries again, and tells why it cannot be done. The image is loaded all the same.
  }
}

}  // namespace

images::Store open_store(const Paths& paths) {
  return {paths.lib + "/images", paths.run + "/layers"};
}

bool is_transport(const std::string& image) {
  return std::ranges::any_of(kTransports,
                             [&](std::string_view transport) { return image.starts_with(transport); });
}

std::vector<std::string> load_images(const Paths& paths, const std::string& source,
                                     const std::vector<std::string>& names, bool quiet) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "load"};
  if (quiet)
    arguments.emplace_back("--quiet");
  for (const auto& name : names)
    arguments.insert(arguments.end(), {"--name", name});
  arguments.push_back(source);
  const HelperResult result = ask_helper("trine-images", arguments);
  if (result.code != 0)
    ::_exit(result.code);
  auto lines = base::split(result.output, '\n', base::SplitEmpty::kSkip);
  for (const auto& line : lines)
    mount_loaded(open_store(paths), line.substr(0, line.find(' ')));
  return lines;
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image) {
  std::string reference = image;
  if (is_transport(image)) {
    const auto loaded = load_images(paths, image, {}, true);
    if (loaded.size() != 1) {
      throw base::Error(image + " holds " + std::to_string(loaded.size()) + " images", 0,
                        "name one of them, or trine load them all");
    }
    reference = loaded.front().substr(0, loaded.front().find(' '));
  }
  if (auto found = store.find(reference))
    return std::move(*found);
  throw base::Error(
      "there is no image " + image + " in the store", 0,
      "trine images lists those there are; trine load brings one in; oci:DIR, oci-archive:FILE and "
      "docker-archive:FILE can be run as they are");
}

}  // namespace trine::runtime::engine
