#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "isolation/seccomp.h"

/// What one isolated process is to see and be. Plain data: decided whole before the first side effect.
/// Source of the terms: OCI runtime-spec 1.3, config.md and config-linux.md.
namespace trine::isolation {

/// A namespace that is new, or the existing one at `path` (/proc/PID/ns/…). One not listed is shared.
struct Namespace {
  int type = 0;      ///< CLONE_NEWPID, CLONE_NEWNS, …
  std::string path;  ///< empty: a new one
};

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

/// A directory of the host that becomes "/".
struct DirectoryRoot {
  std::string path;
};

/// An overlay that becomes "/", mounted in the child's own mount namespace: the host never sees the mount.
struct OverlayRoot {
  std::vector<std::string> lower;  ///< host directories, topmost first, at most 500 (OVL_MAX_STACK)
  std::string upper;               ///< writable layer; empty: read-only
  std::string work;                ///< on the same file system as `upper`
  bool discard = false;  ///< the upper layer goes away with the instance: never sync it ("volatile")
};

/// The "/" of the host itself, for a program of its own that gets other namespaces: nothing of it is changed.
/// In a new mount namespace `mounts` and `devices` lie on it, seen by the program alone.
struct HostRoot {};

/// Nothing at all becomes "/": a file system in memory that cannot be written. See StartHooks::executable.
struct EmptyRoot {};

struct Root {
  std::variant<DirectoryRoot, OverlayRoot, HostRoot, EmptyRoot> source;
  bool read_only = false;
  unsigned long propagation = 0;  ///< MS_SLAVE, MS_PRIVATE, … with MS_REC; 0: MS_SLAVE | MS_REC
};

/// One entry of `mounts`, its options already sorted by kind (see mount_options.h).
struct Mount {
  std::string destination;  ///< inside the root
  std::string type;         ///< "bind" for bind mounts
  std::string source;
  /// Where the host has the same: bound read-only when a user namespace may not mount it anew.
  std::string host_view;
  std::uint64_t set_attributes = 0;            ///< MOUNT_ATTR_… to set
  std::uint64_t clear_attributes = 0;          ///< MOUNT_ATTR_… to clear
  std::uint64_t recursive_set_attributes = 0;  ///< the same for the whole tree ("rro", "rnosuid", …)
  std::uint64_t recursive_clear_attributes = 0;
  unsigned long super_flags = 0;  ///< MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME, MS_SILENT
  std::vector<unsigned long> propagation;  ///< MS_SHARED, MS_PRIVATE, …, in the order given
  std::string data;                        ///< options of the file system itself, comma-separated
  bool bind = false;
  bool recursive = false;  ///< rbind
  /// Not empty: what is bound is this path of the container's root, with what is mounted there by then; the
  /// path is resolved as in the container. `source` is its name on the host, for people.
  std::string source_in_root;
  /// Owners are mapped ("idmap"): by these, or as in the container's user namespace when there are none.
  /// `idmap_recursive`: in the mounts below as well ("ridmap").
  bool idmap = false;
  bool idmap_recursive = false;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  bool copy_up = false;    ///< "tmpcopyup": what the image has there fills the new tmpfs
  bool seal_only = false;  ///< no new mount: `set_attributes` go to the one that is at `destination` already
  bool remount = false;    ///< the same, and unless `bind`, `super_flags` and `data` go to its file system
  bool copy_symlink = false;   ///< "copy-symlink": a source that is a symlink is to be one in the root
  std::string symlink_target;  ///< in place of a mount a symlink to this is made
  bool create_source = false;  ///< a missing bind source is made as a directory (Docker's -v)
};

struct Device {
  char type = 'c';  ///< c, b, u (as c) or p
  std::string path;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  mode_t mode = 0666;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Rlimit {
  int resource = 0;  ///< RLIMIT_…
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// Sets as bit masks of CAP_… numbers.
struct Capabilities {
  std::uint64_t bounding = 0;
  std::uint64_t effective = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t permitted = 0;
  std::uint64_t ambient = 0;
};

/// Ids to take. See Process::resolve_user for `name`.
struct User {
  std::string name;  ///< Docker's `user[:group]` text; empty: root
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> additional_gids;
  bool keep_groups = false;  ///< the caller's additional groups stay, in place of `additional_gids`
  std::optional<mode_t> umask;
};

struct WindowSize {
  unsigned short rows = 0;
  unsigned short columns = 0;
};

/// As sched_setattr(2) takes it; times in nanoseconds.
struct Scheduler {
  std::uint32_t policy = 0;  ///< SCHED_OTHER, …
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t flags = 0;  ///< SCHED_FLAG_…
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

/// As ioprio_set(2) takes it.
struct IoPriority {
  unsigned io_class = 0;  ///< IOPRIO_CLASS_…: 1 real-time, 2 best effort, 3 idle
  unsigned level = 0;     ///< 0..7
};

/// As set_mempolicy(2) takes it.
struct MemoryPolicy {
  int mode = 0;  ///< MPOL_… with its flags
  std::vector<unsigned> nodes;
};

struct Process {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  bool create_cwd = false;  ///< make a missing working directory in the root
  User user;
  /// Take the ids from user.name, resolved in the root's own /etc/passwd and /etc/group, instead of user.uid
  /// and user.gid; and HOME from the entry there, when env has none.
  bool resolve_user = false;
  Capabilities capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  bool keep_keyring = false;  ///< share the caller's session keyring
  bool terminal = false;      ///< a pseudo-terminal of the new devpts becomes stdio; see Started
  std::optional<WindowSize> window_size;
  bool plain_lines = false;  ///< the terminal puts no carriage return before the end of a line
  std::optional<int> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<unsigned long> personality;  ///< PER_LINUX32, …
  /// CPUs of a process that joins a container: until it is in its cgroup, and from then on. Empty: all that
  /// the cgroup allows.
  std::vector<unsigned> initial_cpus, final_cpus;
  unsigned preserved_descriptors =
      0;              ///< 3 and those after it, which the caller's caller gave for the program
  bool init = false;  ///< PID 1 is trine's own reaper, the program its child (--init)
};

/// What a clock of a new time namespace is ahead of the host's.
struct TimeOffset {
  std::string clock;  ///< "monotonic" or "boottime"
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

/// A class of service of resctrl (Intel RDT, AMD PQoS).
struct Resctrl {
  std::string clos_id;                ///< directory of the class; "/": the default one; empty: `container_id`
  std::string container_id;           ///< names the monitoring group, and the class when it has no name
  std::vector<std::string> schemata;  ///< lines to write, in order: "L3:0=7f0;1=1f"
  bool monitoring = false;
};

struct Plan {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings;  ///< with a new user namespace only
  std::vector<IdMapping> gid_mappings;
  std::string hostname;
  std::string domainname;
  Root root;
  std::vector<Mount> mounts;
  std::string mount_label;  ///< SELinux context of file systems that are made, not of bind mounts
  std::vector<Device> devices;
  std::vector<std::string> masked_paths;
  std::vector<std::string> read_only_paths;
  std::vector<std::pair<std::string, std::string>> sysctls;  ///< "net.ipv4.ip_forward" -> "1"
  std::vector<TimeOffset> time_offsets;                      ///< with a new time namespace only
  std::optional<Resctrl> resctrl;
  std::optional<SeccompFilter> seccomp;
  /// Where a small mount namespace may be kept for the starts on a host with many mounts; only root's to
  /// write, and gone with the boot. Empty: none is made.
  std::string staging_directory;
  Process process;

  /// Whether it asks for a new namespace of this type, CLONE_NEW….
  [[nodiscard]] bool has_new(int type) const {
    const auto entry = std::ranges::find(namespaces, type, &Namespace::type);
    return entry != namespaces.end() && entry->path.empty();
  }
  /// Whether it is to stay in the caller's namespace of this type.
  [[nodiscard]] bool shares(int type) const {
    return std::ranges::find(namespaces, type, &Namespace::type) == namespaces.end();
  }
};

}  // namespace trine::isolation
