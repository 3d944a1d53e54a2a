// Freezing and killing what is in a group.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "controllers.h"
#include "detect.h"
#include "directory.h"
#include "freezer.h"
#include "tasks.h"

namespace trine::cgroups {
namespace {

bool has_freezer(const Directory& directory) {
  return directory.v2 ? v2::has_freezer(directory) : v1::has_freezer(directory);
}

void set_frozen(const Directory& directory, bool wanted) {
  directory.v2 ? v2::set_frozen(directory, wanted) : v1::set_frozen(directory, wanted);
}

bool reaches(const Directory& directory, bool wanted) {
  Patience patience(directory);
  while (!(directory.v2 ? v2::is_frozen(directory, wanted) : v1::is_frozen(directory, wanted))) {
    if (!patience.wait())
      return false;
  }
  return true;
}

/// Where `directory` lies below the mount point of its hierarchy: the group's name.
std::string name_of(const Hierarchies& hierarchies, const Directory& directory) {
  std::string name;
  for (const auto& hierarchy : hierarchies.all) {
    const auto prefix = hierarchy.mount_point + "/";
    const bool shorter = name.empty() || directory.path.size() - prefix.size() < name.size();
    if (directory.path.starts_with(prefix) && shorter)
      name = directory.path.substr(prefix.size());
  }
  return name;
}

/// Moves every process of `from` to `to`; those that they start meanwhile are found in the next round.
void move_all(const Directory& from, const Directory& to) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const auto there = all_processes(to);
    const std::set<pid_t> moved(there.begin(), there.end());
    bool complete = true;
    for (const pid_t pid : all_processes(from)) {
      if (moved.contains(pid))
        continue;
      const int error = to.try_write("cgroup.procs", std::to_string(pid));
      if (error != 0 && error != ESRCH) {
        throw base::Error("cannot move process " + std::to_string(pid) + " into " + to.path, error);
      }
      complete = false;
    }
    if (complete)
      return;
  }
  throw base::Error("cannot freeze " + from.path + ": it starts processes faster than they can be moved");
}

/// v1 delivers no signal to a frozen process: it has to run to end.
void release_killed(const std::vector<Directory>& directories) {
  for (const auto& directory : directories) {
    if (!directory.v2 && v1::has_freezer(directory))
      v1::set_frozen(directory, false);
  }
}

/// A directory of the group's name in a hierarchy that can freeze: v1's freezer, else v2.
Directory make_freezer(const Directory& sample) {
  const auto hierarchies = detect();
  const auto name = name_of(hierarchies, sample);
  const auto* hierarchy = find_v1(hierarchies, "freezer");
  if (hierarchy == nullptr)
    hierarchy = find_v2(hierarchies);
  if (hierarchy == nullptr || name.empty()) {
    throw base::Error(
        "cannot freeze " + sample.path + ": this machine has no freezer", ENOENT,
        "the kernel needs CONFIG_CGROUP_FREEZER mounted as cgroup v1, or cgroup v2 of Linux 5.2");
  }
  const auto path = hierarchy->mount_point + "/" + name;
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    base::throw_errno("cannot make the cgroup " + path);
  auto directory = open_directory(path, hierarchy->v2);
  if (!directory.fd)
    base::throw_errno("cannot open the cgroup " + path);
  return directory;
}

}  // namespace

void Group::freeze() {
  if (directories_.empty()) {
    throw base::Error(
        "cannot freeze the instance: it has no cgroup", ENOENT,
        "without root, cgroups need version 2 and a delegated group, and a limit to make one for");
  }
  auto freezer = std::ranges::find_if(directories_, has_freezer);
  if (freezer == directories_.end()) {
    directories_.push_back(make_freezer(directories_.front()));
    freezer = directories_.end() - 1;
    move_all(directories_.front(), *freezer);
  }
  set_frozen(*freezer, true);
  if (reaches(*freezer, true))
    return;
  set_frozen(*freezer, false);
  throw base::Error("cannot freeze " + freezer->path + ": its processes are not still within two seconds",
                    ETIMEDOUT,
                    "a process that waits for a disk or a network file system cannot be frozen; it runs on");
}

void Group::thaw() const {
  for (const auto& directory : directories_) {
    if (!has_freezer(directory))
      continue;
    set_frozen(directory, false);
    if (!reaches(directory, false)) {
      throw base::Error("cannot thaw " + directory.path, ETIMEDOUT, "a group above it may be frozen");
    }
  }
}

void Group::kill_all() const {
  for (const auto& directory : directories_) {
    // Linux 5.14 kills a whole tree in one go, without a race against fork(2). What it cannot do, the loop
    // does.
    if (directory.v2)
      static_cast<void>(directory.try_write("cgroup.kill", "1"));
  }
  for (const auto& directory : directories_) {
    Patience patience(directory);
    while (kill_processes(directory)) {
      release_killed(directories_);
      if (!patience.wait()) {
        throw base::Error("cannot kill everything in " + directory.path, EBUSY,
                          "a process that waits for a disk or a network file system ends only after that");
      }
    }
  }
}

}  // namespace trine::cgroups
