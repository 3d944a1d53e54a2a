#pragma once

#include <linux/filter.h>

#include <optional>
#include <span>
#include <vector>

namespace trine::isolation {

/// The same filter with less to do: for each architecture a binary search over *ranges* of system call
/// numbers that are treated alike, where libseccomp tests each number by itself. A quarter of the
/// instructions makes seccomp(2), which compiles and tries the filter for every number, three times as fast.
///
/// Nothing for a program that it does not understand: one that does arithmetic on the number or the
/// architecture, or whose parts grow too long for a jump.
std::optional<std::vector<sock_filter>> optimize_seccomp(std::span<const sock_filter> program);

}  // namespace trine::isolation
