#pragma once

#include <cstddef>
#include <map>

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// What a bind mount binds, O_PATH; made as a directory when the plan asks for it. Throws Error with a hint.
base::UniqueFd open_bind_source(const Mount& mount);

/// Detached copies of what a plan binds, by the index of the mount, as far as the caller must take them: with
/// mapped owners, which needs the privileges of whoever has mounted the file system; and all of them for a
/// new user namespace, whose root may neither reach every source nor take one mount without those below it.
/// Throws Error naming the mount. Source: mount_setattr(2), MOUNT_ATTR_IDMAP; kernel 5.12.
using BindSources = std::map<std::size_t, base::UniqueFd>;
BindSources take_bind_sources(const Plan& plan);

}  // namespace trine::isolation
