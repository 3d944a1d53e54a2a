#pragma once

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// What a bind mount binds, O_PATH; made as a directory when the plan asks for it. Throws Error with a hint.
base::UniqueFd open_bind_source(const Mount& mount);

}  // namespace trine::isolation
