#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "directory.h"

/// The processes of a group and of the groups below it, which a container may have made.
namespace trine::cgroups {

/// The processes of the directory and of all groups below it, as our pid namespace numbers them.
std::vector<pid_t> all_processes(const Directory& directory);

/// How many threads they have.
std::uint64_t count_tasks(const Directory& directory);

/// Sends SIGKILL to each of them; returns whether there were any. A number that was given to another process
/// meanwhile is not hit.
bool kill_processes(const Directory& directory);

/// Removes all groups below the directory, deepest first, however deep: two descriptors are open at a time.
/// False when one is busy.
bool remove_groups_below(const Directory& directory);

/// Waits in growing steps, two seconds together, for something that the kernel is about to finish.
class Patience {
 public:
  /// On version 2 a change of the group's cgroup.events ends a step early.
  explicit Patience(const Directory& directory);

  /// One step; false when the time is up.
  bool wait();

 private:
  base::UniqueFd events_;
  long waited_us_ = 0;
  long next_us_ = 100;
};

}  // namespace trine::cgroups
