#pragma once

#include <sys/types.h>

#include <string>

#include "isolation/plan.h"

/// Classes of cache and memory bandwidth. Source: Linux Documentation/filesystems/resctrl.rst, OCI
/// runtime-spec 1.3 config-linux.md#intelrdt.
namespace trine::isolation {

/// Where resctrl is mounted. Throws Error with a hint when it is not.
std::string find_resctrl();

/// Makes the class and the monitoring group that `group` asks for, below `root`. A class that is there
/// already must have the schemata that are asked for; a class that has a name and no schemata must be there.
/// Throws Error; nothing is left behind then.
void make_resctrl_group(const std::string& root, const Resctrl& group);

/// Puts a process into them; its children follow it.
void join_resctrl_group(const std::string& root, const Resctrl& group, pid_t pid);

/// Removes the monitoring group, and the class when it is the container's own. What is not there is no error.
void remove_resctrl_group(const std::string& root, const Resctrl& group);

}  // namespace trine::isolation
