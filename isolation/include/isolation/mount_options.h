#pragma once

#include <string>
#include <vector>

#include "isolation/plan.h"

namespace trine::isolation {

/// Sorts the options of a mount into the kinds that the kernel takes by different ways. One that is in no
/// table belongs to the file system itself and goes to `mount.data`. Of contradicting ones the last wins.
/// Source: OCI runtime-spec 1.3 config.md#linux-mount-options.
void parse_mount_options(const std::vector<std::string>& options, Mount& mount);

/// Every option that is not a file system's own, sorted.
std::vector<std::string> mount_option_names();

/// "rprivate", "shared", … as MS_… flags; 0 for what is none.
unsigned long parse_propagation(std::string_view name);

}  // namespace trine::isolation
