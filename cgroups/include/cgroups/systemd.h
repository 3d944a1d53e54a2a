#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "cgroups/group.h"

/// Groups that systemd makes: transient scopes. systemd is spoken to by a program of its own, trine-systemd,
/// since its library is not to be had statically. Each call runs it once, for a minute at most.
/// Source: https://systemd.io/CGROUP_DELEGATION/, org.freedesktop.systemd1(5), systemd.resource-control(5).
namespace trine::cgroups {

/// Where a scope is and what it is called.
struct SystemdUnit {
  std::string slice;  ///< "system.slice"
  std::string name;   ///< "runc-abc.scope"
};

/// Reads the form that cgroupsPath has with --systemd-cgroup, "slice:prefix:name". An empty slice is
/// system.slice, or user.slice for a `user` manager; an empty prefix leaves "name.scope".
/// Throws Error{EINVAL} for any other form, and for names that systemd cannot have.
SystemdUnit parse_systemd_path(const std::string& cgroups_path, bool user);

/// The slice's path below the manager's root: "a-b.slice" -> "/a.slice/a-b.slice"; "-.slice" -> "".
/// `slice` is one that parse_systemd_path() gave.
std::string slice_path(const std::string& slice);

/// A property of a unit. The value is a GVariant text: "true", "'word'", "uint64 5", "[byte 1, 2]".
using UnitProperty = std::pair<std::string, std::string>;

struct SystemdOptions {
  std::string helper;       ///< the path of trine-systemd
  bool user = false;        ///< the user's own manager, else the machine's
  std::string description;  ///< the unit's Description
  bool delegate = true;     ///< the container may make groups below
  /// From annotations org.systemd.property.NAME, as they are; they win over what the limits give. A name
  /// "...Sec" with a number of seconds becomes "...USec".
  std::vector<UnitProperty> properties;
  /// The processes that systemd moves into the scope. Empty: one that is made for that, since systemd makes
  /// no scope without; it stays until Group::settle(), or until the Group is destroyed.
  ///
  /// A user's process outside the tree of user@.service (one of an ssh session) can be moved by systemd only:
  /// give its number here. Without, the new process could not be born in the scope, which is an Error.
  std::vector<pid_t> pids;
};

/// Starts the scope and writes `limits`: those that systemd has properties for by these, so that it does not
/// take them back, and all of them to the files, in the kernel's own units. The group has a directory in
/// every hierarchy, as with Coverage::kEverywhere; on version 1 systemd makes some of them, and the container
/// joins all of them itself, as ever.
///
/// Without a limit on processes, systemd's DefaultTasksMax holds.
///
/// Throws Error with what systemd said, when there is no systemd or no bus, or when it does not answer in
/// time. A scope that was started by then ends with its placeholder.
Group create_with_systemd(const Hierarchies& hierarchies, const SystemdUnit& unit,
                          const SystemdOptions& options, const Limits& limits);

/// update() for such a group: the unit's properties and the files. Of `options`, `helper` and `user` are
/// used.
void update_with_systemd(const Group& group, const SystemdUnit& unit, const SystemdOptions& options,
                         const Limits& limits);

/// Stops the scope, and has systemd forget it if it failed. One that is gone is no error: systemd removes a
/// scope by itself when its last process ends. What processes are left in it get SIGTERM first, and SIGKILL
/// after TimeoutStopUSec: kill_all() is faster.
void stop_systemd_unit(const SystemdUnit& unit, const SystemdOptions& options);

}  // namespace trine::cgroups
