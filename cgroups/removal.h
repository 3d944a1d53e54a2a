#pragma once

#include <string>
#include <vector>

namespace trine::cgroups {

/// rmdir of a group and of all groups below it, deepest first. A process that is still ending keeps a group
/// busy for a moment: tries again for 2 seconds. False with errno when it stays.
bool remove_directory_tree(const std::string& directory);

/// Groups below `directory`, deepest first, and `directory` itself last.
std::vector<std::string> groups_below(const std::string& directory);

}  // namespace trine::cgroups
