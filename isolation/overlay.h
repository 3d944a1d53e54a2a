#pragma once

#include <string>

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// A detached mount of the overlay, to be sealed once it is cut off from the host's mounts; nothing when this
/// kernel makes overlays only where they are to be (before Linux 6.5).
base::UniqueFd make_overlay(const OverlayRoot& overlay, bool in_user_namespace);

/// An overlay of one directory and no upper one is that directory itself: makes its mount read-only.
void seal_single_layer(const OverlayRoot& overlay, int mount);

/// Mounts the overlay on the host directory `place` and returns its root, O_PATH. In a user namespace its
/// marks are user.* attributes. Without an upper directory it is read-only; a single lower directory is then
/// a bind mount.
/// Source: Linux Documentation/filesystems/overlayfs.rst.
base::UniqueFd mount_overlay(const OverlayRoot& overlay, const std::string& place, bool in_user_namespace);

}  // namespace trine::isolation
