#pragma once

#include <string>

namespace trine::images {

/// Layers that are EROFS images, each mounted once for all instances in this mount namespace: they share what
/// the kernel has read of it, and a start mounts nothing. A mount stays until its layer is removed, or the
/// machine goes down. Mounted no-device, no-set-user-id, no-exec, in a directory that is closed to others; an
/// overlay above has options of its own.
/// Source: Linux Documentation/filesystems/erofs.rst.
class LayerMounts {
 public:
  /// `directory`: in a file system that dies with the boot. It is made when it is needed.
  explicit LayerMounts(std::string directory) : directory_(std::move(directory)) {}

  /// Where the image `file` is mounted; mounts it from the file where the kernel can (Linux 6.12), else by a
  /// loop device that goes with the mount. Throws Error naming it.
  [[nodiscard]] std::string mount(const std::string& file) const;
  /// Undoes that, when it was done. What still uses the mount keeps it for itself.
  void unmount(const std::string& file) const;

 private:
  [[nodiscard]] std::string place(const std::string& file) const;
  std::string directory_;
};

}  // namespace trine::images
