#pragma once

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// What a bind mount binds, O_PATH; made as a directory when the plan asks for it. Throws Error with a hint.
base::UniqueFd open_bind_source(const Mount& mount);

/// The same as a detached tree of its own, with its owners mapped if the mount asks for it. Empty: this
/// kernel cannot cut it off from the host's mounts (before Linux 5.12), nor map owners, which throws.
base::UniqueFd take_bind_source(const Plan& plan, const Mount& mount);

}  // namespace trine::isolation
