#include "overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "layer_image.h"
#include "mount_api.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

/// A directory in a form that every version of the option parser takes as it stands: fsconfig() takes 255
/// bytes, and some of its parsers give a meaning to ':', ',' and '\'.
class OptionPath {
 public:
  enum class Form { kShortest, kDescriptor };
  explicit OptionPath(const std::string& path, Form form = Form::kShortest) : text_(path) {
    const bool plain = path.size() < 200 && path.find_first_of(":,\\") == std::string::npos;
    if (plain && form == Form::kShortest)
      return;
    hold(base::open_file(path, O_PATH | O_DIRECTORY));
  }
  explicit OptionPath(base::UniqueFd fd) { hold(std::move(fd)); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  void hold(base::UniqueFd fd) {
    fd_ = std::move(fd);
    text_ = base::fd_path(fd_.get());
  }
  std::string text_;
  base::UniqueFd fd_;
};

/// The overlay's directories, ready to be named.
struct Directories {
  std::vector<OptionPath> lower;
  std::optional<OptionPath> upper, work;
};

/// Images are mounted on `place`, one over the other, which hides what was there: all else is opened before.
Directories open_directories(const OverlayRoot& overlay, const std::string& place) {
  std::vector<bool> images;
  for (const auto& layer : overlay.lower)
    images.push_back(is_layer_image(layer));
  const bool mounts = std::ranges::find(images, true) != images.end();
  const auto form = mounts ? OptionPath::Form::kDescriptor : OptionPath::Form::kShortest;
  Directories directories;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i]) {
      directories.lower.emplace_back(base::open_file(overlay.lower[i], O_RDONLY));
    } else {
      directories.lower.emplace_back(overlay.lower[i], form);
    }
  }
  if (!overlay.upper.empty()) {
    directories.upper.emplace(overlay.upper, form);
    directories.work.emplace(overlay.work, form);
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i])
      directories.lower[i] =
          OptionPath(mount_layer_image(directories.lower[i].fd(), overlay.lower[i], place));
  }
  return directories;
}

/// Layers one by one ("lowerdir+", kernel 6.7). False: this kernel wants them in one text.
bool add_lower_layers(const FilesystemContext& filesystem, const Directories& directories) {
  bool first = true;
  for (const auto& directory : directories.lower) {
    try {
      filesystem.set("lowerdir+", directory.text());
    } catch (const base::Error& error) {
      if (first && error.errno_value() == EINVAL)
        return false;
      throw;
    }
    first = false;
  }
  return true;
}

/// Before 6.7 all options go to mount(2) as one page of text; descriptors keep a layer at 17 bytes, so that
/// some 200 fit.
void mount_overlay_legacy(const OverlayRoot& overlay, const Directories& directories,
                          const std::string& place, bool in_user_namespace) {
  constexpr std::size_t kMaxOptions = 4095;
  std::vector<OptionPath> opened;
  std::string options = "lowerdir=";
  for (std::size_t i = 0; i < directories.lower.size(); ++i) {
    const OptionPath* layer = &directories.lower[i];
    if (layer->fd() < 0)
      layer = &opened.emplace_back(overlay.lower[i], OptionPath::Form::kDescriptor);
    options += (i > 0 ? ":" : "") + layer->text();
  }
  if (directories.upper) {
    options += ",upperdir=" + directories.upper->text() + ",workdir=" + directories.work->text();
    if (overlay.discard)
      options += ",volatile";
  }
  if (in_user_namespace)
    options += ",userxattr";
  if (options.size() > kMaxOptions) {
    throw base::Error("cannot mount an overlay of " + std::to_string(overlay.lower.size()) +
                          " layers: this kernel takes no more than a page of options",
                      E2BIG, "Linux 6.7 and newer have no such limit; or squash the image");
  }
  if (::mount("overlay", place.c_str(), "overlay", 0, options.c_str()) != 0) {
    base::throw_errno("cannot mount the overlay of the image");
  }
}

}  // namespace

base::UniqueFd mount_overlay(const OverlayRoot& overlay, const std::string& place, bool in_user_namespace) {
  const Directories directories = open_directories(overlay, place);
  const base::UniqueFd target = base::open_file(place, O_PATH | O_DIRECTORY);
  if (!directories.upper && directories.lower.size() == 1) {
    base::UniqueFd tree = clone_tree(AT_FDCWD, directories.lower.front().text(), false);
    attach(tree.get(), target.get(), place);
    change_attributes(tree.get(), {.set = kAttrReadOnly}, "/");
    return tree;
  }
  const FilesystemContext filesystem("overlay");
  filesystem.set("source", "overlay");
  if (filesystem.only_collects() || !add_lower_layers(filesystem, directories)) {
    mount_overlay_legacy(overlay, directories, place, in_user_namespace);
    return base::open_file(place, O_PATH | O_DIRECTORY);
  }
  if (directories.upper) {
    filesystem.set("upperdir", directories.upper->text());
    filesystem.set("workdir", directories.work->text());
    if (overlay.discard)
      filesystem.set_flag("volatile");
  }
  if (in_user_namespace)
    filesystem.set_flag("userxattr");
  base::UniqueFd mount = filesystem.mount(0);
  attach(mount.get(), target.get(), place);
  return mount;
}

}  // namespace trine::isolation
