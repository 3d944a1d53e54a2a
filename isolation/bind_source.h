#pragma once

#include <cstddef>
#include <map>

#include "base/unique_fd.h"
#include "isolation/bind_source.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// Maps the owners of a detached tree as `mount` asks for it: only who has mounted the file system may.
/// Throws Error naming the mount. Source: mount_setattr(2), MOUNT_ATTR_IDMAP; kernel 5.12.
void map_owners(int tree, const Plan& plan, const Mount& mount);

/// Detached copies of what a plan binds, by the index of the mount, as far as the caller must take them: with
/// mapped owners, which needs the privileges of whoever has mounted the file system; all of them for a new
/// user namespace, whose root may neither reach every source nor take one mount without those below it; and
/// `all` for a child that is not to see the host's mounts. Not those that are in the container's own root,
/// which is the child's to make. Throws Error naming the mount.
using BindSources = std::map<std::size_t, base::UniqueFd>;
BindSources take_bind_sources(const Plan& plan, bool all);

/// Cuts a detached tree off from the mounts of the host, as the child does with its copy of them: see
/// propagation_of_host_mounts(). False: this kernel cannot (before Linux 5.12).
bool detach_from_host(int tree, const Root& root, const std::string& where);

}  // namespace trine::isolation
