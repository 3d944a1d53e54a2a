#include "runtime/backend/plan.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "isolation/mount_options.h"
#include "isolation/rootless.h"
#include "plan_resources.h"
#include "process_names.h"

namespace trine::runtime::backend {
namespace {

/// Devices that every container has. Source: OCI runtime-spec 1.3 config-linux.md#default-devices.
constexpr std::array<std::pair<const char*, std::uint32_t>, 5> kMemoryDevices{
    {{"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}}};

std::string below(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

std::vector<isolation::Namespace> namespaces(const oci::Linux& part) {
  std::vector<isolation::Namespace> result;
  result.reserve(part.namespaces.size());
  for (const auto& entry : part.namespaces) {
    result.push_back({.type = look_up(kNamespaceTypes, entry.type, "config.json: linux.namespaces[].type"),
                      .path = entry.path});
  }
  return result;
}

std::vector<isolation::IdMapping> mappings(const std::vector<oci::IdMapping>& entries) {
  std::vector<isolation::IdMapping> result;
  result.reserve(entries.size());
  for (const auto& entry : entries)
    result.push_back({entry.container_id, entry.host_id, entry.size});
  return result;
}

/// What of `path` is behind the root's own path, as "/etc"; nothing where it lies elsewhere, which a path
/// that goes up again may.
std::optional<std::string> path_in_root(std::string root, const std::string& path) {
  while (root.ends_with('/'))
    root.pop_back();
  if (root.empty() || !path.starts_with(root + "/") || path.find("/..") != std::string::npos)
    return std::nullopt;
  return path.substr(root.size());
}

isolation::Mount mount(const oci::Mount& entry, const std::string& bundle, const std::string& root) {
  isolation::Mount result;
  result.destination = below("", entry.destination);
  // As in runc, for those who name the place by its path on the host.
  if (auto inside = path_in_root(root, result.destination))
    result.destination = *std::move(inside);
  result.type = entry.type;
  result.source = entry.source;
  isolation::parse_mount_options(entry.options, result);
  result.uid_mappings = mappings(entry.uid_mappings);
  result.gid_mappings = mappings(entry.gid_mappings);
  // Before the options had names for it, mappings alone asked for it.
  result.idmap = result.idmap || !result.uid_mappings.empty();
  if (result.bind)
    result.source = below(bundle, entry.source);
  if (result.bind && result.copy_symlink && std::filesystem::is_symlink(result.source))
    result.symlink_target = std::filesystem::read_symlink(result.source);
  if (result.bind)
    result.source_in_root = path_in_root(root, result.source).value_or("");
  return result;
}

std::vector<isolation::Device> devices(const oci::Linux& part) {
  std::vector<isolation::Device> result;
  result.reserve(kMemoryDevices.size() + 1 + part.devices.size());
  for (const auto& [path, minor] : kMemoryDevices) {
    result.push_back({.type = 'c', .path = path, .major = 1, .minor = minor});
  }
  result.push_back({.type = 'c', .path = "/dev/tty", .major = 5, .minor = 0});
  for (const auto& entry : part.devices) {
    std::erase_if(result, [&](const isolation::Device& device) { return device.path == entry.path; });
    result.push_back({.type = entry.type.front(),
                      .path = entry.path,
                      .major = static_cast<std::uint32_t>(entry.major),
                      .minor = static_cast<std::uint32_t>(entry.minor),
                      .mode = static_cast<mode_t>(entry.file_mode & 0777),
                      .uid = entry.uid,
                      .gid = entry.gid});
  }
  return result;
}

std::vector<isolation::TimeOffset> time_offsets(const oci::Linux& part) {
  std::vector<isolation::TimeOffset> result;
  result.reserve(part.time_offsets.size());
  for (const auto& [clock, offset] : part.time_offsets)
    result.push_back({.clock = clock, .seconds = offset.secs, .nanoseconds = offset.nanosecs});
  return result;
}

unsigned long propagation(const std::string& name) {
  if (name.empty())
    return 0;
  const unsigned long flags = isolation::parse_propagation(name);
  if (flags == 0) {
    throw base::Error(
        "config.json: linux.rootfsPropagation '" + name + "' is unknown", 0,
        "it is one of shared, slave, private and unbindable, with an r before it for all below");
  }
  return flags;
}

}  // namespace

std::optional<isolation::Resctrl> make_resctrl(const oci::Linux& part, const std::string& id) {
  if (!part.intel_rdt)
    return std::nullopt;
  const oci::IntelRdt& rdt = *part.intel_rdt;
  isolation::Resctrl result{.clos_id = rdt.clos_id, .container_id = id, .monitoring = rdt.enable_monitoring};
  for (const auto& line : {rdt.l3_cache_schema, rdt.mem_bw_schema}) {
    if (!line.empty())
      result.schemata.push_back(line);
  }
  result.schemata.insert(result.schemata.end(), rdt.schemata.begin(), rdt.schemata.end());
  return result;
}

ContainerPlan make_plan(const oci::Spec& spec, const std::string& bundle, const std::string& id) {
  const oci::Linux& part = spec.linux_part;
  ContainerPlan plan;
  isolation::Plan& isolated = plan.isolation;
  isolated.namespaces = namespaces(part);
  isolated.uid_mappings = mappings(part.uid_mappings);
  isolated.gid_mappings = mappings(part.gid_mappings);
  if (isolated.has_new(CLONE_NEWUSER) && isolated.uid_mappings.empty() && isolated.gid_mappings.empty()) {
    auto defaults = isolation::default_id_mappings();
    isolated.uid_mappings = std::move(defaults.uids);
    isolated.gid_mappings = std::move(defaults.gids);
  }
  isolated.hostname = spec.hostname;
  isolated.domainname = spec.domainname;
  const std::string root = below(bundle, spec.root.path);
  isolated.root.source = isolation::DirectoryRoot{.path = root};
  isolated.root.read_only = spec.root.readonly;
  isolated.root.propagation = propagation(part.rootfs_propagation);
  for (const auto& entry : spec.mounts)
    isolated.mounts.push_back(mount(entry, bundle, root));
  isolated.devices = devices(part);
  isolated.masked_paths = part.masked_paths;
  isolated.read_only_paths = part.readonly_paths;
  isolated.sysctls.assign(part.sysctl.begin(), part.sysctl.end());
  isolated.process = make_process(spec.process, part);
  isolated.time_offsets = time_offsets(part);
  isolated.resctrl = make_resctrl(part, id);
  isolated.mount_label = part.mount_label;
  plan.limits = make_limits(part.resources, part.devices);
  if (part.seccomp)
    plan.seccomp = make_seccomp_profile(*part.seccomp);
  for (const auto& [host, device] : part.net_devices)
    plan.net_devices.push_back({.host_name = host, .name = device.name});
  plan.cgroup_name = part.cgroups_path;
  while (plan.cgroup_name.starts_with('/'))
    plan.cgroup_name.erase(0, 1);
  if (plan.cgroup_name.find("..") != std::string::npos) {
    throw base::Error("config.json: linux.cgroupsPath '" + part.cgroups_path +
                      "' leads out of the hierarchy");
  }
  return plan;
}

cgroups::Limits make_limits(const oci::Resources& resources) {
  cgroups::Limits limits = make_limits(resources, {});
  limits.devices.clear();
  return limits;
}

}  // namespace trine::runtime::backend
