#include <algorithm>

#include "base/text.h"
#include "cgroups/group.h"
#include "directory.h"
#include "tasks.h"

namespace trine::cgroups {

bool Group::is_frozen() const {
  return std::ranges::any_of(directories_, [](const Directory& directory) {
    const auto state = directory.read(directory.v2 ? "cgroup.freeze" : "freezer.state");
    return state && base::trim(*state) == (directory.v2 ? "1" : "FROZEN");
  });
}

std::vector<pid_t> Group::processes() const {
  // All of them are in each of the directories.
  return directories_.empty() ? std::vector<pid_t>() : all_processes(directories_.front());
}

}  // namespace trine::cgroups
