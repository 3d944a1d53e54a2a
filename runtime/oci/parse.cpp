#include "reader.h"
#include "runtime/oci/spec.h"
#include "seccomp_reader.h"

namespace trine::runtime::oci {
namespace {

/// What the specification has and this build does not do. To ignore one of these would be to run a container
/// other than the one that was asked for.
struct Unsupported {
  const char* parent;
  const char* name;
};
constexpr Unsupported kUnsupported[] = {
    {"", "hooks"},
    {"", "vm"},
    {"process", "apparmorProfile"},
    {"process", "selinuxLabel"},
    {"process", "scheduler"},
    {"process", "ioPriority"},
    {"process", "execCPUAffinity"},
    {"linux", "timeOffsets"},
    {"linux", "netDevices"},
    {"linux", "memoryPolicy"},
    {"linux", "intelRdt"},
    {"linux", "mountLabel"},
    {"linux", "personality"},
};

void refuse_unsupported(const Reader& reader, std::string_view parent) {
  for (const auto& entry : kUnsupported) {
    if (parent != entry.parent)
      continue;
    const auto found = reader.field(entry.name);
    if (found && !found->is_empty())
      found->fail("is not built into this version of trine");
  }
}

Mount read_mount(const Reader& reader) {
  for (const char* name : {"uidMappings", "gidMappings"}) {
    if (const auto found = reader.field(name); found && !found->is_empty()) {
      found->fail("is not built into this version of trine");
    }
  }
  Mount mount{.destination = reader.required<std::string>("destination")};
  reader.read("type", mount.type);
  reader.read("source", mount.source);
  reader.read("options", mount.options);
  return mount;
}

User read_user(const Reader& reader) {
  User user;
  reader.read("uid", user.uid);
  reader.read("gid", user.gid);
  reader.read("umask", user.umask);
  reader.read("additionalGids", user.additional_gids);
  return user;
}

Capabilities read_capabilities(const Reader& reader) {
  Capabilities capabilities;
  reader.read("bounding", capabilities.bounding);
  reader.read("effective", capabilities.effective);
  reader.read("inheritable", capabilities.inheritable);
  reader.read("permitted", capabilities.permitted);
  reader.read("ambient", capabilities.ambient);
  return capabilities;
}

Process read_process(const Reader& reader) {
  refuse_unsupported(reader, "process");
  Process process;
  reader.read("terminal", process.terminal);
  if (const auto size = reader.field("consoleSize")) {
    process.console_size = {.height = size->required<std::uint32_t>("height"),
                            .width = size->required<std::uint32_t>("width")};
  }
  if (const auto user = reader.field("user"))
    process.user = read_user(*user);
  process.args = reader.required<std::vector<std::string>>("args");
  reader.read("env", process.env);
  process.cwd = reader.required<std::string>("cwd");
  if (const auto found = reader.field("capabilities"))
    process.capabilities = read_capabilities(*found);
  reader.read_each("rlimits", process.rlimits, [](const Reader& entry) {
    return Rlimit{.type = entry.required<std::string>("type"),
                  .soft = entry.required<std::uint64_t>("soft"),
                  .hard = entry.required<std::uint64_t>("hard")};
  });
  reader.read("noNewPrivileges", process.no_new_privileges);
  reader.read("oomScoreAdj", process.oom_score_adj);
  return process;
}

IdMapping read_mapping(const Reader& reader) {
  return {.container_id = reader.required<std::uint32_t>("containerID"),
          .host_id = reader.required<std::uint32_t>("hostID"),
          .size = reader.required<std::uint32_t>("size")};
}

Device read_device(const Reader& reader) {
  Device device{.type = reader.required<std::string>("type"), .path = reader.required<std::string>("path")};
  reader.read("major", device.major);
  reader.read("minor", device.minor);
  reader.read("fileMode", device.file_mode);
  reader.read("uid", device.uid);
  reader.read("gid", device.gid);
  return device;
}

DeviceRule read_device_rule(const Reader& reader) {
  DeviceRule rule{.allow = reader.required<bool>("allow")};
  reader.read("type", rule.type);
  reader.read("major", rule.major);
  reader.read("minor", rule.minor);
  reader.read("access", rule.access);
  return rule;
}

Memory read_memory(const Reader& reader) {
  for (const char* name : {"kernel", "kernelTCP"}) {
    if (reader.field(name))
      reader.fail(std::string("has ") + name + ", which the kernel no longer limits");
  }
  Memory memory;
  reader.read("limit", memory.limit);
  reader.read("reservation", memory.reservation);
  reader.read("swap", memory.swap);
  reader.read("swappiness", memory.swappiness);
  reader.read("disableOOMKiller", memory.disable_oom_killer);
  return memory;
}

Cpu read_cpu(const Reader& reader) {
  Cpu cpu;
  reader.read("shares", cpu.shares);
  reader.read("quota", cpu.quota);
  reader.read("burst", cpu.burst);
  reader.read("period", cpu.period);
  reader.read("realtimeRuntime", cpu.realtime_runtime);
  reader.read("realtimePeriod", cpu.realtime_period);
  reader.read("cpus", cpu.cpus);
  reader.read("mems", cpu.mems);
  reader.read("idle", cpu.idle);
  return cpu;
}

BlockIo read_block_io(const Reader& reader) {
  const auto device = [](const char* value) {
    return [value](const Reader& entry) {
      return ThrottleDevice{.major = entry.required<std::int64_t>("major"),
                            .minor = entry.required<std::int64_t>("minor"),
                            .rate = entry.required<std::uint64_t>(value)};
    };
  };
  BlockIo io;
  reader.read("weight", io.weight);
  reader.read_each("weightDevice", io.weight_device, device("weight"));
  reader.read_each("throttleReadBpsDevice", io.read_bps, device("rate"));
  reader.read_each("throttleWriteBpsDevice", io.write_bps, device("rate"));
  reader.read_each("throttleReadIOPSDevice", io.read_iops, device("rate"));
  reader.read_each("throttleWriteIOPSDevice", io.write_iops, device("rate"));
  return io;
}

Resources read_resources(const Reader& reader) {
  for (const char* name : {"rdma", "network"}) {
    if (const auto found = reader.field(name); found && !found->is_empty()) {
      found->fail("is not built into this version of trine");
    }
  }
  Resources resources;
  reader.read_each("devices", resources.devices, read_device_rule);
  if (const auto memory = reader.field("memory"))
    resources.memory = read_memory(*memory);
  if (const auto cpu = reader.field("cpu"))
    resources.cpu = read_cpu(*cpu);
  if (const auto pids = reader.field("pids"))
    pids->read("limit", resources.pids_limit);
  if (const auto io = reader.field("blockIO"))
    resources.block_io = read_block_io(*io);
  reader.read_each("hugepageLimits", resources.hugepage_limits, [](const Reader& entry) {
    return HugepageLimit{.page_size = entry.required<std::string>("pageSize"),
                         .limit = entry.required<std::uint64_t>("limit")};
  });
  reader.read("unified", resources.unified);
  return resources;
}

Linux read_linux(const Reader& reader) {
  refuse_unsupported(reader, "linux");
  Linux result;
  reader.read_each("namespaces", result.namespaces, [](const Reader& entry) {
    Namespace name{.type = entry.required<std::string>("type")};
    entry.read("path", name.path);
    return name;
  });
  reader.read_each("uidMappings", result.uid_mappings, read_mapping);
  reader.read_each("gidMappings", result.gid_mappings, read_mapping);
  reader.read_each("devices", result.devices, read_device);
  reader.read("cgroupsPath", result.cgroups_path);
  if (const auto resources = reader.field("resources"))
    result.resources = read_resources(*resources);
  if (const auto seccomp = reader.field("seccomp"))
    result.seccomp = read_seccomp(*seccomp);
  reader.read("rootfsPropagation", result.rootfs_propagation);
  reader.read("maskedPaths", result.masked_paths);
  reader.read("readonlyPaths", result.readonly_paths);
  reader.read("sysctl", result.sysctl);
  return result;
}

}  // namespace

Spec parse_spec(std::string_view text) {
  const auto json = parse_json(text, "config.json");
  const Reader reader(json, "config.json");
  refuse_unsupported(reader, "");
  Spec spec{.oci_version = reader.required<std::string>("ociVersion")};
  if (const auto root = reader.field("root")) {
    root->read("path", spec.root.path);
    root->read("readonly", spec.root.readonly);
  }
  const auto process = reader.field("process");
  if (!process)
    reader.fail("'process' is missing");
  spec.process = read_process(*process);
  reader.read("hostname", spec.hostname);
  reader.read("domainname", spec.domainname);
  reader.read_each("mounts", spec.mounts, read_mount);
  reader.read("annotations", spec.annotations);
  if (const auto part = reader.field("linux"))
    spec.linux_part = read_linux(*part);
  return spec;
}

}  // namespace trine::runtime::oci
