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

}  // namespace

IdMapping read_mapping(const Reader& reader) {
  return {.container_id = reader.required<std::uint32_t>("containerID"),
          .host_id = reader.required<std::uint32_t>("hostID"),
          .size = reader.required<std::uint32_t>("size")};
}

Linux read_linux(const Reader& reader) {
  for (const char* name :
       {"timeOffsets", "netDevices", "memoryPolicy", "intelRdt", "mountLabel", "personality"})
    refuse_unsupported(reader, name);
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

}  // namespace trine::runtime::oci
