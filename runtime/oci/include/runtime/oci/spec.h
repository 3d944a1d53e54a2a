#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// config.json as plain structs. Names and units are the specification's.
/// Source: OCI runtime-spec 1.3, config.md and config-linux.md.
namespace trine::runtime::oci {

using StringMap = std::map<std::string, std::string>;

struct Root {
  std::string path = "rootfs";  ///< relative to the bundle
  bool readonly = false;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
};

struct ConsoleSize {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};

struct Capabilities {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  std::string type;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<std::int32_t> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
};

struct Namespace {
  std::string type;  ///< "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"
  std::string path;
};

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct Device {
  std::string type;
  std::string path;
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint32_t file_mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct DeviceRule {
  bool allow = false;
  std::string type = "a";
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access = "rwm";
};

struct Memory {
  std::optional<std::int64_t> limit, reservation, swap;  ///< bytes; -1: no limit
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
};

struct Cpu {
  std::optional<std::uint64_t> shares, burst, period, realtime_period;  ///< microseconds but shares
  std::optional<std::int64_t> quota, realtime_runtime, idle;
  std::optional<std::string> cpus, mems;
};

struct ThrottleDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;
};

struct BlockIo {
  std::optional<std::uint64_t> weight;
  std::vector<ThrottleDevice> weight_device;
  std::vector<ThrottleDevice> read_bps, write_bps, read_iops, write_iops;
};

struct HugepageLimit {
  std::string page_size;
  std::uint64_t limit = 0;
};

struct Resources {
  std::vector<DeviceRule> devices;
  Memory memory;
  Cpu cpu;
  std::optional<std::int64_t> pids_limit;
  BlockIo block_io;
  std::vector<HugepageLimit> hugepage_limits;
  StringMap unified;
};

struct SeccompArgument {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  std::string op;
};

struct SeccompSyscall {
  std::vector<std::string> names;
  std::string action;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArgument> args;
};

struct Seccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures;
  std::vector<std::string> flags;
  std::vector<SeccompSyscall> syscalls;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::vector<Device> devices;
  std::string cgroups_path;
  Resources resources;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  StringMap sysctl;
};

/// A program that runs at a moment of the container's life.
struct Hook {
  std::string path;                     ///< absolute
  std::vector<std::string> args;        ///< argv whole, args[0] included
  std::vector<std::string> env;         ///< nothing else is in its environment
  std::optional<std::int64_t> timeout;  ///< seconds, above 0
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct HookStage {
  const char* name;  ///< the specification's
  std::vector<Hook> Hooks::* hooks;
};
/// The stages in the order in which they come.
inline constexpr std::array<HookStage, 6> kHookStages{{{"prestart", &Hooks::prestart},
                                                       {"createRuntime", &Hooks::create_runtime},
                                                       {"createContainer", &Hooks::create_container},
                                                       {"startContainer", &Hooks::start_container},
                                                       {"poststart", &Hooks::poststart},
                                                       {"poststop", &Hooks::poststop}}};

struct Spec {
  std::string oci_version = "1.3.0";
  Root root;
  Process process;
  std::string hostname;
  std::string domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  StringMap annotations;
  Linux linux_part;
};

/// Parses config.json, 16 MiB and 64 levels at most. Unknown fields are ignored, as the specification says;
/// an ill-typed one, and one that this build cannot honour, is an Error that gives its path
/// ("config.json: process.args[2] must be a string, not a number").
Spec parse_spec(std::string_view json);

/// A process beside those of a container, as `exec --process` takes it: the object that config.json has under
/// "process". Errors as above, beginning with "process.json:".
Process parse_process(std::string_view json);

/// What `update -r` takes: the object that config.json has under "linux.resources".
Resources parse_resources(std::string_view json);

/// The seccomp part alone: a profile file in Docker's form (--security-opt seccomp=FILE), whose rules may
/// depend on the container's capabilities, a bit mask in the numbers that `capability_number` gives (-1 for a
/// name that is none).
Seccomp parse_seccomp_profile(std::string_view json, std::uint64_t capabilities,
                              int (*capability_number)(const std::string&), std::string_view file);

/// What the parts say together. Throws Error naming the field, with a hint.
void validate(const Spec& spec);

/// The same for a process alone.
void validate(const Process& process);

}  // namespace trine::runtime::oci
