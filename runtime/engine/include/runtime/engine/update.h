#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cgroups/limits.h"
#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// Changes the limits of an instance that runs; what is unset stays as it is. Memory without a limit for
/// memory and swap together gets the default for that, twice as much.
/// Throws Error when it does not run, is a VM that is to have more memory than its machine, uses more memory
/// than it is to have, or was started without a limit that the same cgroup controller serves.
void update_instance(const Paths& paths, const std::string& reference, cgroups::Limits limits);

/// How much memory a group may have now, in bytes; nothing without a limit. `cgroups`: its directories.
std::optional<std::uint64_t> memory_limit(const std::vector<std::string>& cgroups);

}  // namespace trine::runtime::engine
