#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "jail/seccomp_tables.h"

namespace trine::hvm {

/// A list of calls as the kernel takes it. Calls of another architecture, x32 and the 32-bit ones with it,
/// and calls that are not in the list end the process. Made by hand, for libseccomp would take longer to
/// compile one than all of the monitor's start. Source: Linux Documentation/userspace-api/seccomp_filter.rst.
std::vector<sock_filter> make_filter(std::span<const AllowedCall> calls);

}  // namespace trine::hvm
