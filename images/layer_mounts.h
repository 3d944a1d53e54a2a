#pragma once

#include <string>
#include <vector>

#include "images/mounted_layers.h"

namespace trine::images {

/// Layers that are EROFS images, each mounted once for all who use it at the same time, in this mount
/// namespace: they share what the kernel has read of it. Who uses one holds a shared lock on its file; the
/// last one unmounts it. Mounted no-device, no-set-user-id, no-exec, in a directory that is closed to others;
/// an overlay above has options of its own.
/// Source: Linux Documentation/filesystems/erofs.rst.
class LayerMounts {
 public:
  /// `directory`: in a file system that dies with the boot. It is made when it is needed.
  explicit LayerMounts(std::string directory) : directory_(std::move(directory)) {}

  /// Mounts the image `file` from the file where the kernel can (Linux 6.12), else by a loop device that goes
  /// with the mount. Throws Error naming it.
  [[nodiscard]] MountedLayer mount(const std::string& file) const;
  /// Undoes mounts that nobody uses any more, because those who did were killed. `layers` is where the images
  /// are.
  void unmount_unused(const std::string& layers) const;

 private:
  std::string directory_;
};

}  // namespace trine::images
