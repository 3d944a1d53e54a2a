#pragma once

#include <string>

#include "cgroups/group.h"

namespace trine::cgroups {

/// The hierarchies in a text of the form of /proc/PID/mountinfo (proc(5)). Controllers of version 2 are not
/// read: see v2_controllers() in group.cpp.
Hierarchies parse_mountinfo(const std::string& mountinfo);

}  // namespace trine::cgroups
