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

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct Mount {
  std::string destination;  ///< one that is not absolute begins at "/"
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings, gid_mappings;  ///< of the owners of its files
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

/// As sched_setattr(2) takes it; times in nanoseconds.
struct Scheduler {
  std::string policy;  ///< "SCHED_OTHER", …
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<std::string> flags;  ///< "SCHED_FLAG_RESET_ON_FORK", …
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

struct IoPriority {
  std::string io_class;  ///< "IOPRIO_CLASS_BE", …
  std::int32_t priority = 0;
};

/// Lists of CPUs ("0-3,7") for a process that joins a container.
struct CpuAffinity {
  std::string initial_cpus;  ///< until it is in the container's cgroup
  std::string final_cpus;    ///< from then on
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
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<CpuAffinity> exec_cpu_affinity;
};

struct Namespace {
  std::string type;  ///< "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"
  std::string path;
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
  std::optional<std::int64_t> kernel_tcp;  ///< bytes; cgroup v1 alone
  std::optional<bool> disable_oom_killer;
  bool check_before_update = false;  ///< a limit below what is in use is refused
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

struct WeightDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint64_t> weight, leaf_weight;  ///< one of them at least
};

struct BlockIo {
  std::optional<std::uint64_t> weight, leaf_weight;  ///< 10..1000
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> read_bps, write_bps, read_iops, write_iops;
};

struct HugepageLimit {
  std::string page_size;
  std::uint64_t limit = 0;
};

struct Rdma {
  std::optional<std::uint32_t> hca_handles, hca_objects;  ///< one of them at least
};

struct NetworkPriority {
  std::string name;  ///< of the interface
  std::uint32_t priority = 0;
};

struct Network {
  std::optional<std::uint32_t> class_id;
  std::vector<NetworkPriority> priorities;
};

struct Resources {
  std::vector<DeviceRule> devices;
  Memory memory;
  Cpu cpu;
  std::optional<std::int64_t> pids_limit;
  BlockIo block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::map<std::string, Rdma> rdma;  ///< by device
  Network network;
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
  std::string listener_path;      ///< a stream socket; it gets the notify descriptor of SCMP_ACT_NOTIFY
  std::string listener_metadata;  ///< goes there with it
  std::vector<SeccompSyscall> syscalls;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct Personality {
  std::string domain;              ///< "LINUX" or "LINUX32"
  std::vector<std::string> flags;  ///< the specification has none yet
};

struct MemoryPolicy {
  std::string mode;                ///< "MPOL_BIND", …
  std::string nodes;               ///< "0-1,3"
  std::vector<std::string> flags;  ///< "MPOL_F_STATIC_NODES", …
};

struct IntelRdt {
  std::string clos_id;                ///< empty: the container's id; "/": the default class
  std::vector<std::string> schemata;  ///< lines, written after the two below
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};

struct NetDevice {
  std::string name;  ///< inside; empty: as on the host. "%d" in it stands for the first free number
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
  std::string mount_label;
  std::map<std::string, TimeOffset> time_offsets;  ///< by clock: "monotonic", "boottime"
  std::optional<Personality> personality;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<IntelRdt> intel_rdt;
  std::map<std::string, NetDevice> net_devices;  ///< by name on the host
};

/// A program that runs at a moment of the container's life.
struct Hook {
  std::string path;                             ///< absolute
  std::vector<std::string> args;                ///< argv whole, args[0] included
  std::optional<std::vector<std::string>> env;  ///< nothing else is in its environment; absent: the caller's
  std::optional<std::int64_t> timeout;          ///< seconds, above 0
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

/// What the guest's kernel and monitor shall be. Source: OCI runtime-spec 1.3, config-vm.md.
struct Vm {
  std::string hypervisor;  ///< absolute path; empty: not named
  std::vector<std::string> hypervisor_parameters;
  std::string kernel;  ///< absolute path
  std::vector<std::string> kernel_parameters;
  std::string initrd;  ///< absolute path; empty: not named
  bool has_image = false;
  bool has_hardware = false;  ///< "hwConfig"
};

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
  std::optional<Vm> vm;
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

/// What `mounts add` takes: the list that config.json has under "mounts".
std::vector<Mount> parse_mounts(std::string_view json);

/// The seccomp part alone: a profile file in Docker's form (--security-opt seccomp=FILE), whose rules may
/// depend on the container's capabilities, a bit mask in the numbers that `capability_number` gives (-1 for a
/// name that is none).
Seccomp parse_seccomp_profile(std::string_view json, std::uint64_t capabilities,
                              int (*capability_number)(const std::string&), std::string_view file);

/// What the parts say together. Throws Error naming the field, with a hint.
void validate(const Spec& spec);

/// Whether `linux.namespaces` has one of that type, to be made or to be joined.
bool has_namespace(const Spec& spec, std::string_view type);

/// The same for a process alone.
void validate(const Process& process);

}  // namespace trine::runtime::oci
