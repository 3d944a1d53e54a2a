#pragma once

#include <cstdint>
#include <string>

#include "isolation/plan.h"

/// Mounts of a container that runs already. Needs kernel 5.12 (mount_setattr(2)).
///
/// A bind mount's source is resolved by the caller, in the host's view; the place to mount on by a child that
/// has entered the container, inside the container's root, so that no symlink of the container's leads out of
/// it. Nothing is looked up twice, and the container's own /proc is not asked.
namespace trine::isolation {

/// The container to change.
struct LiveContainer {
  int pidfd = -1;                ///< of a process in it
  std::uint64_t namespaces = 0;  ///< CLONE_NEW… that it does not share with the caller
};

/// Attaches a bind mount or a tmpfs. The attributes hold from the moment at which the container sees it.
/// Propagation is private unless the mount says otherwise: neither side sees what the other mounts below it.
/// The place is made when it is missing: a directory for a directory, else an empty file.
///
/// Throws Error for another type, for "/", and for a place on procfs, whatever the path to it: a mount there
/// would hide from the runtime what it looks at later (CVE-2019-16884 and its kin).
void add_live_mount(const LiveContainer& container, const Mount& mount);

/// Detaches the topmost mount whose root is at `destination`, with all below it. Returns false when no mount
/// is exactly there. What of it is open stays usable to whoever has it open. Throws Error as above.
bool remove_live_mount(const LiveContainer& container, const std::string& destination);

}  // namespace trine::isolation
