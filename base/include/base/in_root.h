#pragma once

#include <string>

#include "base/unique_fd.h"

namespace trine::base {

/// Paths inside a root that a stranger wrote: an image, a bundle, a container's file system.
///
/// Every name is resolved by the kernel with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): "..", absolute
/// symlinks and races with a renaming process stay inside the root. Nothing is resolved twice: what comes
/// back is a descriptor, and all further work goes through it.
/// Source: openat2(2); kernel 5.6.

/// What to do about a symlink on the way: resolve it inside the root, or fail with ELOOP.
enum class Symlinks { kInsideRoot, kRefuse };

/// Throws Error naming `path`. `flags` and `mode` as for open(2); O_CLOEXEC is added.
UniqueFd open_in_root(int root, const std::string& path, int flags, unsigned mode = 0);

/// As open_in_root, but returns an empty descriptor and leaves errno when the file cannot be opened.
UniqueFd try_open_in_root(int root, const std::string& path, int flags, unsigned mode = 0,
                          Symlinks symlinks = Symlinks::kInsideRoot);

/// mkdir -p inside `root`; returns the last directory, opened with O_PATH. Symlinks are followed inside the
/// root.
UniqueFd make_directories_in_root(int root, const std::string& path, unsigned mode = 0755);

/// Makes an empty regular file (and its directories) unless something is there; returns it, opened O_PATH. A
/// symlink to what is not there yet is followed: the file is made where it leads.
UniqueFd make_file_in_root(int root, const std::string& path, unsigned mode = 0644);

/// "/proc/self/fd/N": hands a descriptor to a system call that takes only a path.
std::string fd_path(int fd);

}  // namespace trine::base
