#pragma once

#include <string>

#include "base/unique_fd.h"

namespace trine::isolation {

/// Whether a layer is kept as an image in one file, and not as a directory.
bool is_layer_image(const std::string& path);

/// Mounts the EROFS image `file`, read-only, on top of what is at the directory `place`, and returns its
/// root. From the file itself where the kernel can (6.12), else by a loop device, which goes with the mount.
/// Throws Error naming `name`. Source: Linux Documentation/filesystems/erofs.rst.
base::UniqueFd mount_layer_image(int file, const std::string& name, const std::string& place);

/// A read-only loop device of `file` that frees itself when it is used no more; `path` gets its name.
/// Source: loop(4).
base::UniqueFd make_loop_device(int file, std::string& path);

}  // namespace trine::isolation
