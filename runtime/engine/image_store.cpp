#include "runtime/engine/image_store.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "image_helper.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

constexpr const char* kImages = "trine-images";

std::string own_mount_point(const Paths& paths, const images::Image& image) {
  return paths.run + "/mounts/" + image.digest.substr(image.digest.find(':') + 1);
}

/// By descriptors, for mount(2) takes a page of options.
void mount_overlay(const std::vector<std::string>& layers, const std::string& directory) {
  std::vector<base::UniqueFd> opened;
  opened.reserve(layers.size());
  std::string options = "lowerdir=";
  for (const auto& layer : layers) {
    opened.push_back(base::open_file(layer, O_PATH | O_DIRECTORY));
    options += (opened.size() > 1 ? ":" : "") + base::fd_path(opened.back().get());
  }
  constexpr unsigned long kFlags = MS_RDONLY | MS_NODEV | MS_NOSUID;
  // An overlay without an upper layer is made of two lower ones at least.
  const bool bound = layers.size() == 1;
  const bool mounted =
      bound ? ::mount(layers.front().c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                  ::mount(nullptr, directory.c_str(), nullptr, MS_REMOUNT | MS_BIND | kFlags, nullptr) == 0
            : ::mount("overlay", directory.c_str(), "overlay", kFlags, options.c_str()) == 0;
  if (!mounted)
    base::throw_errno("cannot mount the image on " + directory);
}

}  // namespace

int check_store(const Paths& paths, bool repair) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "check"};
  if (repair)
    arguments.emplace_back("--repair");
  return run_helper(kImages, arguments);
}

int save_images(const Paths& paths, const std::vector<std::string>& references, SaveFormat format,
                const std::string& output) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "--mounts", paths.run + "/layers",
                                     "save"};
  if (format != SaveFormat::kArchive)
    arguments.insert(arguments.end(),
                     {"--format", format == SaveFormat::kDir ? "dir" : "oci", "--output", output});
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), references.begin(), references.end());
  return run_helper_into(format == SaveFormat::kArchive ? output : "", kImages, arguments);
}

std::vector<std::string> prune_images(const Paths& paths, bool all) {
  const auto instances = list_instances(paths);
  return open_store(paths).prune(all, [&](const images::Image& image) {
    return std::ranges::any_of(instances,
                               [&](const Record& record) { return record.image_digest == image.digest; });
  });
}

std::string mount_image(const Paths& paths, const std::string& reference, const std::string& directory) {
  const images::Store store = open_store(paths);
  const images::Image image = find_image(paths, store, reference);
  const base::UniqueFd lease = store.lease(image);
  std::string place = directory;
  if (place.empty()) {
    place = own_mount_point(paths, image);
    base::make_directories(place, 0700);
  }
  const images::MountedLayers layers = store.mount_layers(image);
  mount_overlay(images::directories_of(layers), place);
  return place;
}

void unmount_image(const Paths& paths, const std::string& what) {
  std::string place = what;
  if (what.find('/') != 0) {
    const auto image = open_store(paths).find(what);
    if (!image)
      throw base::Error("there is no image " + what + " in the store", 0, "trine images lists them");
    place = own_mount_point(paths, *image);
  }
  if (::umount2(place.c_str(), UMOUNT_NOFOLLOW) != 0) {
    const int error = errno;
    throw base::Error("cannot unmount " + what, error,
                      error == EBUSY ? "a process has something open there" : "trine image mount mounts it");
  }
  if (place != what)
    ::rmdir(place.c_str());
}

}  // namespace trine::runtime::engine
