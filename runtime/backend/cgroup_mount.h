#pragma once

#include "cgroups/group.h"
#include "isolation/plan.h"

namespace trine::runtime::backend {

/// Replaces a mount of type "cgroup" by what the machine has: the v2 hierarchy, or a tmpfs with those v1
/// hierarchies in which the container has a group of its own. In the others it would see the host's.
void expand_cgroup_mounts(std::vector<isolation::Mount>& mounts, const cgroups::Hierarchies& hierarchies,
                          const cgroups::Group& group);

}  // namespace trine::runtime::backend
