#pragma once

#include <sys/types.h>

#include <string_view>

#include "cgroups/group.h"

namespace trine::runtime::engine {

/// What the line of /proc/PID/stat says: CPU time of the process and of its children that ended, memory. An
/// empty one for what is no such line. Source: proc(5).
cgroups::Stats parse_process_stat(std::string_view line);

/// The sum over all processes in the pid namespace of `pid`; nothing is set when that is our own namespace,
/// or the process has ended.
cgroups::Stats namespace_stats(pid_t pid);

}  // namespace trine::runtime::engine
