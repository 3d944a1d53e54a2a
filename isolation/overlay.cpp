#include "overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
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
    fd_ = base::open_file(path, O_PATH | O_DIRECTORY);
    text_ = base::fd_path(fd_.get());
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  base::UniqueFd fd_;
};

bool is_single_layer(const OverlayRoot& overlay) {
  return overlay.upper.empty() && overlay.lower.size() == 1;
}

/// Layers one by one ("lowerdir+", kernel 6.7). False: this kernel wants them in one text.
bool add_lower_layers(const FilesystemContext& filesystem, const OverlayRoot& overlay) {
  bool first = true;
  for (const auto& directory : overlay.lower) {
    try {
      filesystem.set("lowerdir+", OptionPath(directory).text());
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
void mount_overlay_legacy(const OverlayRoot& overlay, const std::string& place, bool in_user_namespace) {
  constexpr std::size_t kMaxOptions = 4095;
  std::vector<OptionPath> layers;
  std::string options = "lowerdir=";
  for (const auto& directory : overlay.lower) {
    layers.emplace_back(directory, OptionPath::Form::kDescriptor);
    if (layers.size() > 1)
      options += ':';
    options += layers.back().text();
  }
  const OptionPath upper(overlay.upper.empty() ? "/" : overlay.upper);
  const OptionPath work(overlay.upper.empty() ? "/" : overlay.work);
  if (!overlay.upper.empty()) {
    options += ",upperdir=" + upper.text() + ",workdir=" + work.text();
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

base::UniqueFd make_overlay(const OverlayRoot& overlay, bool in_user_namespace) {
  if (is_single_layer(overlay))
    return clone_tree(AT_FDCWD, overlay.lower.front(), false);
  const FilesystemContext filesystem("overlay");
  filesystem.set("source", "overlay");
  if (filesystem.only_collects() || !add_lower_layers(filesystem, overlay))
    return {};
  if (!overlay.upper.empty()) {
    filesystem.set("upperdir", OptionPath(overlay.upper).text());
    filesystem.set("workdir", OptionPath(overlay.work).text());
    if (overlay.discard)
      filesystem.set_flag("volatile");
  }
  if (in_user_namespace)
    filesystem.set_flag("userxattr");
  return filesystem.mount(0);
}

void seal_single_layer(const OverlayRoot& overlay, int mount) {
  if (is_single_layer(overlay))
    change_attributes(mount, {.set = kAttrReadOnly}, "/");
}

base::UniqueFd mount_overlay(const OverlayRoot& overlay, const std::string& place, bool in_user_namespace) {
  base::UniqueFd mount = make_overlay(overlay, in_user_namespace);
  if (!mount) {
    mount_overlay_legacy(overlay, place, in_user_namespace);
    return base::open_file(place, O_PATH | O_DIRECTORY);
  }
  attach(mount.get(), base::open_file(place, O_PATH | O_DIRECTORY).get(), place);
  seal_single_layer(overlay, mount.get());
  return mount;
}

}  // namespace trine::isolation
