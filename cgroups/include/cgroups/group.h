#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cgroups/limits.h"

namespace trine::cgroups {

enum class Layout { kNone, kV1, kV2, kHybrid };

/// One mounted hierarchy.
struct Hierarchy {
  std::string mount_point;               ///< "/sys/fs/cgroup/memory"
  std::vector<std::string> controllers;  ///< v1: {"cpu", "cpuacct"} or {"name=systemd"}; v2: cgroup.controllers
  bool v2 = false;
};

/// What this machine has. Source: /proc/self/mountinfo and /proc/self/cgroup; the controllers that a hybrid
/// machine has on v2 are used there, the others on v1.
struct Hierarchies {
  Layout layout = Layout::kNone;
  std::vector<Hierarchy> all;
};

/// Reads the machine's hierarchies. Never throws: a machine without cgroups has Layout::kNone.
Hierarchies detect();

/// Figures of one group, for `stats` and for the report of an OOM kill. Unset: not accounted.
struct Stats {
  std::optional<std::uint64_t> memory_bytes, memory_peak_bytes, oom_kills;
  std::optional<std::uint64_t> cpu_usage_us;
  std::optional<std::uint64_t> pids;
};

/// The cgroup of one instance: one directory in each hierarchy that its limits need, and in no other.
///
/// On a hierarchy of version 2 a process is born in it (birth_directory()); on version 1 it joins.
/// Move-only. The directories are removed by remove(), not by the destructor: an instance outlives a command.
class Group {
 public:
  Group() = default;
  Group(Group&&) = default;
  Group& operator=(Group&&) = default;

  /// Puts a process into every version 1 directory of the group, and into the version 2 one unless it was
  /// born there (`born`). Throws Error.
  void join(pid_t pid, bool born) const;

  /// The version 2 directory, for CLONE_INTO_CGROUP; nothing when the group has none.
  [[nodiscard]] std::optional<int> birth_directory() const;

  /// Full paths of the directories made, to record and to find again with open_group().
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }

  [[nodiscard]] Stats stats() const;
  void freeze() const;
  void thaw() const;

  /// Kills every process in the group (cgroup.kill, or by number until none is left), including those that
  /// were moved into groups below it.
  void kill_all() const;

  /// Removes the directories with all groups below them; waits, bounded, for processes that are still ending.
  /// Missing ones are no error. Throws Error naming the directory that stays.
  void remove();

 private:
  friend Group create(const Hierarchies&, const std::string&, const Limits&);
  friend Group open_group(const std::vector<std::string>&);
  std::vector<std::string> directories_;
  base::UniqueFd v2_;
};

/// Makes the group `name` (one path component, or a path below the hierarchy's root) and writes `limits`.
/// The group is empty afterwards. Throws Error{ENOENT} naming the controller if the kernel has none for a
/// limit that was asked for; removes what it made before throwing.
Group create(const Hierarchies& hierarchies, const std::string& name, const Limits& limits);

/// A group that an earlier command made. Directories that are gone are passed over.
Group open_group(const std::vector<std::string>& directories);

}  // namespace trine::cgroups
