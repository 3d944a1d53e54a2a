#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "cgroups/group.h"
#include "directory.h"
#include "tasks.h"

namespace trine::cgroups {
namespace {

/// A container may have made groups below, and its last processes may still be ending.
void remove_busy(const Directory& directory) {
  Patience patience(directory);
  for (;;) {
    remove_groups_below(directory);  // one that is busy makes the next call fail
    if (::rmdir(directory.path.c_str()) == 0 || errno == ENOENT)
      return;
    if (errno != EBUSY && errno != ENOTEMPTY)
      base::throw_errno("cannot remove the cgroup " + directory.path);
    if (!patience.wait()) {
      throw base::Error("cannot remove the cgroup " + directory.path, EBUSY,
                        "processes are still in it; " + directory.path + "/cgroup.procs lists them");
    }
  }
}

void remove_one(const Directory& directory) {
  if (::rmdir(directory.path.c_str()) == 0 || errno == ENOENT)
    return;
  if (errno != EBUSY && errno != ENOTEMPTY)
    base::throw_errno("cannot remove the cgroup " + directory.path);
  remove_busy(directory);
}

bool is_cgroup(const std::string& path) {
  struct statfs file_system{};
  return ::statfs(path.c_str(), &file_system) == 0 &&
         (file_system.f_type == CGROUP2_SUPER_MAGIC || file_system.f_type == CGROUP_SUPER_MAGIC);
}

}  // namespace

void Group::remove() {
  while (!directories_.empty()) {
    remove_one(directories_.back());
    directories_.pop_back();
  }
}

void end_group(const std::vector<std::string>& directories) {
  std::vector<std::string> busy;
  for (const auto& path : directories) {
    if (is_cgroup(path) && ::rmdir(path.c_str()) != 0)
      busy.push_back(path);
  }
  Group group = open_group(busy);
  group.kill_all();
  group.remove();
}

}  // namespace trine::cgroups
