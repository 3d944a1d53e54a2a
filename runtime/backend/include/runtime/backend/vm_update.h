#pragma once

#include <cstdint>
#include <string>

#include "cgroups/limits.h"

namespace trine::runtime::backend {

/// Changes what a VM that runs may have inside: memory, which its guest gives back to its balloon and takes
/// again, up to the `started_bytes` that its machine has. Returns what is left to change in its cgroup:
/// processor time. Throws base::Error for more memory than that, and for a limit on processes, which are the
/// guest's.
cgroups::Limits update_guest(const std::string& socket, std::uint64_t started_bytes, cgroups::Limits limits);

}  // namespace trine::runtime::backend
