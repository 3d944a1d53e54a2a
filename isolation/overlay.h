#pragma once

#include <string>

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// Mounts the overlay on the host directory `place` and returns its root, O_PATH. In a user namespace its
/// marks are user.* attributes. Without an upper directory it is read-only; a single lower directory is then
/// a bind mount.
/// Source: Linux Documentation/filesystems/overlayfs.rst.
base::UniqueFd mount_overlay(const OverlayRoot& overlay, const std::string& place, bool in_user_namespace);

}  // namespace trine::isolation
