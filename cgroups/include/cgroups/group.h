#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cgroups/limits.h"

namespace trine::cgroups {

enum class Layout { kNone, kV1, kV2, kHybrid };

/// One mounted hierarchy.
struct Hierarchy {
  std::string mount_point;  ///< "/sys/fs/cgroup/memory"
  std::vector<std::string>
      controllers;  ///< v1: {"cpu", "cpuacct"} or {"name=systemd"}; v2: see v2_controllers()
  bool v2 = false;
};

/// What this machine has; v2 comes first when there is one. Source: /proc/self/mountinfo. The controllers
/// that a hybrid machine has on v2 are used there, the others on v1.
struct Hierarchies {
  Layout layout = Layout::kNone;
  std::vector<Hierarchy> all;
};

/// Reads the machine's hierarchies: one statfs(2) on a pure v2 machine, else one small file.
/// Never throws: a machine without cgroups has Layout::kNone.
Hierarchies detect();

/// As detect(), but only as far as create() needs it for `limits`, in 4 microseconds instead of 36 where the
/// hierarchies are mounted in the usual places: the mount table is not read then.
Hierarchies detect_for(const Limits& limits);

/// The controllers that the v2 hierarchy offers to its children (cgroup.controllers). Read when needed only.
std::vector<std::string> v2_controllers(const Hierarchy& hierarchy);

/// Figures of one group, for `stats` and for the report of an OOM kill. Unset: not accounted.
struct Stats {
  std::optional<std::uint64_t> memory_bytes, memory_peak_bytes, oom_kills;
  std::optional<std::uint64_t> cpu_usage_us;
  std::optional<std::uint64_t> pids;
};

struct Directory;
class Placeholder;

/// The cgroup of one instance: one directory in each hierarchy that its limits need, and in no other unless
/// Coverage asks for it. Without limits and device rules there is none at all, and every function below is a
/// cheap no-operation.
///
/// On a hierarchy of version 2 a process is born in it (birth_directory()). On version 1 it joins, and it is
/// to do so itself, by join_self(): see there.
/// Move-only. The directories are removed by remove(), not by the destructor: an instance outlives a command.
class Group {
 public:
  Group();
  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  ~Group();

  /// Puts the calling process into every version 1 directory, and into the version 2 one unless it was born
  /// there (`born`). It must have one thread; allocates nothing unless it fails, so that a child of
  /// clone3(2) may call it. Throws Error.
  ///
  /// This is the way for a new process: the kernel moves the caller's own thread without its global lock
  /// (Linux 5.4, cgroup_procs_write_start()), in 10 microseconds. For any other process, join() takes that
  /// lock, which waits for an RCU grace period: up to 10 milliseconds when the machine is otherwise idle.
  void join_self(bool born) const;

  /// For a group that is made beside its first process: descriptors by which that process joins every
  /// version 1 directory (join_by()), whatever it can reach itself by then.
  [[nodiscard]] std::vector<base::UniqueFd> join_files() const;

  /// The same for the process `pid`, with all its threads.
  void join(pid_t pid, bool born) const;

  /// To be called once the first process is in a group of create_with_systemd(): ends the placeholder that
  /// held the scope until then, and which a limit of processes left room for. For any other group, and the
  /// second time, it does nothing. Throws Error.
  void settle();

  /// The version 2 directory, for CLONE_INTO_CGROUP; nothing when the group has none.
  [[nodiscard]] std::optional<int> birth_directory() const;

  /// Full paths of the directories, to record and to find again with open_group().
  [[nodiscard]] std::vector<std::string> directories() const;

  [[nodiscard]] Stats stats() const;

  /// Stops and resumes every process of the group. A group without a directory that can freeze gets one now,
  /// and its processes move there: directories() grows, so record it again after freeze().
  /// Throws Error, also when the processes are not still within two seconds; they run again then.
  void freeze();
  void thaw() const;

  /// Whether freeze() holds.
  [[nodiscard]] bool is_frozen() const;

  /// The processes in the group and in groups below it, as our pid namespace numbers them.
  [[nodiscard]] std::vector<pid_t> processes() const;

  /// Kills every process in the group and in groups below it, frozen ones too: by cgroup.kill, or by number
  /// until none is left, two seconds at most. Throws Error naming the directory where some are left.
  void kill_all() const;

  /// Removes the directories with all groups below them, which a container may have made; waits, two seconds
  /// at most, for processes that are still ending. Missing ones are no error.
  /// Throws Error naming the directory that stays.
  void remove();

 private:
  friend class Builder;
  friend Group open_group(const std::vector<std::string>&);
  friend void update(const Group&, const Limits&);
  friend struct Details details(const Group&);
  friend class OomWatch;
  friend Group create_with_systemd(const Hierarchies&, const struct SystemdUnit&,
                                   const struct SystemdOptions&, const Limits&);
  std::vector<Directory> directories_;
  std::unique_ptr<Placeholder> placeholder_;
};

/// Where create() makes directories.
enum class Coverage {
  kWhereLimited,  ///< in the hierarchies that the limits and the device rules need
  /// In every hierarchy: the named ones of version 1 (name=systemd) too, and on version 2 always, with all
  /// the controllers that the groups above can give. For engines, which look for a container's figures by
  /// /proc/PID/cgroup. A hierarchy that nothing was asked of, and that is mounted read-only or forbidden, is
  /// passed over.
  kEverywhere
};

/// Makes the group `name` (one path component, or a path below the hierarchy's root) and writes `limits`.
/// The group is empty afterwards. A directory that is there already is used when no process is in it;
/// missing directories on the way to it are made, and stay when the group is removed.
///
/// Throws Error{ENOENT} naming the limit and the controller if the kernel has none for a limit that was asked
/// for; removes what it made before throwing.
///
/// Without privilege (not root, or root of a user namespace only, where /sys/fs/cgroup is not writable):
///   - `devices` is passed over: the kernel forbids mknod(2) there, and which devices open(2) may reach is
///     decided by what the mounts hold;
///   - limits are set on v2, in the own cgroup's parent or in the own cgroup, whichever is delegated to us;
///   - limits whose controller is on v1, or that have no delegated group, are an Error that says so;
///   - Coverage::kEverywhere is the delegated group of v2, when there is one.
Group create(const Hierarchies& hierarchies, const std::string& name, const Limits& limits,
             Coverage coverage = Coverage::kWhereLimited);

/// Writes `limits` to a group that has processes already; what is unset stays as it is. The order of writes
/// is the one that the kernel takes, whether limits go up or down. Device rules are no part of an update:
/// they are passed over.
///
/// Throws Error{ENOENT} naming the limit and the controller when the group has no directory for one of them,
/// before anything is written. When the kernel refuses a value, what was written before it stays.
void update(const Group& group, const Limits& limits);

/// Puts the calling process, which must have one thread, into the group of a descriptor of join_files().
/// Throws Error.
void join_by(int file);

/// A group that an earlier command made. Directories that are gone, or are no cgroups, are passed over.
Group open_group(const std::vector<std::string>& directories);

/// Kills what is in such a group and removes it, as Group::kill_all() and Group::remove() do, which throw; in
/// one system call for each directory that is empty, as it is when its container has ended.
void end_group(const std::vector<std::string>& directories);

}  // namespace trine::cgroups
