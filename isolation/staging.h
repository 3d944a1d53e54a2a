#pragma once

#include <optional>

#include "base/unique_fd.h"
#include "isolation/plan.h"
#include "isolation/start.h"

namespace trine::isolation {

/// What a container is made in instead of a copy of the host's mount namespace: on a host with thousands of
/// mounts, copying them and taking them apart again costs more than all else of a start.
struct Staging {
  base::UniqueFd mount_namespace;  ///< a small one, to be copied; it has /proc and /root to mount on
  base::UniqueFd root;             ///< the container's root, detached
  base::UniqueFd proc;             ///< the host's /proc, detached: the steps of the child need it
};

/// Nothing when the host has few mounts, when something needs to see the host's (hooks, shared propagation,
/// file systems of devices), when a user namespace is to lock what is mounted, or without
/// `plan.staging_directory`. The namespace is made the first time and kept until the machine is shut down,
/// by a mount in that directory. Throws Error when the root cannot be taken.
std::optional<Staging> prepare_staging(const Plan& plan, const StartHooks& hooks);

/// In the child: into a copy of the staging namespace; the root is at /root then. Throws Error.
void enter_staging(const Staging& staging);

}  // namespace trine::isolation
