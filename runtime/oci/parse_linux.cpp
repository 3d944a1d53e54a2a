#include "parse.h"
#include "seccomp_reader.h"

namespace trine::runtime::oci {
namespace {

Device read_device(const Reader& reader) {
  Device device{.type = reader.required<std::string>("type"), .path = reader.required<std::string>("path")};
  reader.read("major", device.major);
  reader.read("minor", device.minor);
  reader.read("fileMode", device.file_mode);
  reader.read("uid", device.uid);
  reader.read("gid", device.gid);
  return device;
}

TimeOffset read_time_offset(const Reader& reader) {
  TimeOffset offset;
  reader.read("secs", offset.secs);
  reader.read("nanosecs", offset.nanosecs);
  return offset;
}

Personality read_personality(const Reader& reader) {
  Personality personality{.domain = reader.required<std::string>("domain")};
  reader.read("flags", personality.flags);
  return personality;
}

MemoryPolicy read_memory_policy(const Reader& reader) {
  MemoryPolicy policy{.mode = reader.required<std::string>("mode")};
  reader.read("nodes", policy.nodes);
  reader.read("flags", policy.flags);
  return policy;
}

IntelRdt read_intel_rdt(const Reader& reader) {
  IntelRdt rdt;
  reader.read("closID", rdt.clos_id);
  reader.read("schemata", rdt.schemata);
  reader.read("l3CacheSchema", rdt.l3_cache_schema);
  reader.read("memBwSchema", rdt.mem_bw_schema);
  reader.read("enableMonitoring", rdt.enable_monitoring);
  return rdt;
}

NetDevice read_net_device(const Reader& reader) {
  NetDevice device;
  reader.read("name", device.name);
  return device;
}

}  // namespace

IdMapping read_mapping(const Reader& reader) {
  return {.container_id = reader.required<std::uint32_t>("containerID"),
          .host_id = reader.required<std::uint32_t>("hostID"),
          .size = reader.required<std::uint32_t>("size")};
}

Linux read_linux(const Reader& reader) {
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
  reader.read("mountLabel", result.mount_label);
  reader.read_map("timeOffsets", result.time_offsets, read_time_offset);
  if (const auto found = reader.field("personality"))
    result.personality = read_personality(*found);
  if (const auto found = reader.field("memoryPolicy"))
    result.memory_policy = read_memory_policy(*found);
  if (const auto found = reader.field("intelRdt"))
    result.intel_rdt = read_intel_rdt(*found);
  reader.read_map("netDevices", result.net_devices, read_net_device);
  return result;
}

}  // namespace trine::runtime::oci
