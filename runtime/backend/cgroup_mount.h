#pragma once

#include "cgroups/group.h"
#include "isolation/plan.h"

namespace trine::runtime::backend {

/// Replaces a mount of type "cgroup" by what the machine has: the v2 hierarchy, or a tmpfs with those v1
/// hierarchies in which the container has a group of its own. In the others it would see the host's.
/// `has_namespace`: it has a cgroup namespace. Without one a v1 hierarchy would be the host's whole one, so
/// it gets its own group's directory instead.
void expand_cgroup_mounts(std::vector<isolation::Mount>& mounts, const cgroups::Hierarchies& hierarchies,
                          const cgroups::Group& group, bool has_namespace);

}  // namespace trine::runtime::backend
