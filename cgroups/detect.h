#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cgroups/group.h"

namespace trine::cgroups {

/// The hierarchies in a text of /proc/self/mountinfo's form. A line that is not of that form is passed over.
/// Where one hierarchy is mounted more than once, its first mount is taken.
Hierarchies parse_mountinfo(std::string_view text);

/// The path of version 2 in a text of /proc/self/cgroup's form ("0::/user.slice/…"). Nothing when there is
/// none, or when it lies outside what this process can see ("/../…").
std::optional<std::string> parse_own_v2_path(std::string_view text);

/// The hierarchy that holds a version 1 controller, or null.
const Hierarchy* find_v1(const Hierarchies& hierarchies, std::string_view controller);
const Hierarchy* find_v2(const Hierarchies& hierarchies);

}  // namespace trine::cgroups
