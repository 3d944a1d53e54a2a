#include "runtime/backend/plan.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "isolation/capabilities.h"
#include "isolation/mount_options.h"
#include "isolation/rlimits.h"
#include "plan_resources.h"

namespace trine::runtime::backend {
namespace {

struct NamespaceType {
  std::string_view name;
  int flag;
};
constexpr std::array kNamespaceTypes{
    NamespaceType{"pid", CLONE_NEWPID},       NamespaceType{"network", CLONE_NEWNET},
    NamespaceType{"mount", CLONE_NEWNS},      NamespaceType{"ipc", CLONE_NEWIPC},
    NamespaceType{"uts", CLONE_NEWUTS},       NamespaceType{"user", CLONE_NEWUSER},
    NamespaceType{"cgroup", CLONE_NEWCGROUP}, NamespaceType{"time", CLONE_NEWTIME}};

/// Devices that every container has. Source: OCI runtime-spec 1.3 config-linux.md#default-devices.
constexpr std::array<std::pair<const char*, std::uint32_t>, 5> kMemoryDevices{
    {{"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}}};

std::string below(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

std::vector<isolation::Namespace> namespaces(const oci::Linux& part) {
  std::vector<isolation::Namespace> result;
  for (const auto& entry : part.namespaces) {
    const auto* type = std::ranges::find(kNamespaceTypes, entry.type, &NamespaceType::name);
    if (type == kNamespaceTypes.end())
      throw base::Error("unknown namespace '" + entry.type + "'");
    result.push_back({.type = type->flag, .path = entry.path});
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

isolation::Mount mount(const oci::Mount& entry, const std::string& bundle) {
  isolation::Mount result;
  result.destination = entry.destination;
  result.type = entry.type;
  result.source = entry.source;
  isolation::parse_mount_options(entry.options, result);
  if (result.bind)
    result.source = below(bundle, entry.source);
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

isolation::Capabilities capabilities(const std::optional<oci::Capabilities>& sets) {
  if (!sets)
    return {};
  return {.bounding = capability_mask(sets->bounding),
          .effective = capability_mask(sets->effective),
          .inheritable = capability_mask(sets->inheritable),
          .permitted = capability_mask(sets->permitted),
          .ambient = capability_mask(sets->ambient)};
}

std::vector<isolation::Rlimit> rlimits(const std::vector<oci::Rlimit>& entries) {
  std::vector<isolation::Rlimit> result;
  for (const auto& entry : entries) {
    const auto resource = isolation::parse_rlimit_name(entry.type);
    if (!resource || !entry.type.starts_with("RLIMIT_")) {
      throw base::Error("config.json: process.rlimits has an unknown type '" + entry.type + "'");
    }
    result.push_back({.resource = *resource, .soft = entry.soft, .hard = entry.hard});
  }
  return result;
}

isolation::Process process(const oci::Process& from) {
  isolation::Process result;
  result.args = from.args;
  result.env = from.env;
  result.cwd = from.cwd;
  result.user.uid = from.user.uid;
  result.user.gid = from.user.gid;
  result.user.additional_gids.assign(from.user.additional_gids.begin(), from.user.additional_gids.end());
  if (from.user.umask)
    result.user.umask = static_cast<mode_t>(*from.user.umask & 0777);
  result.capabilities = capabilities(from.capabilities);
  result.rlimits = rlimits(from.rlimits);
  result.no_new_privileges = from.no_new_privileges;
  result.terminal = from.terminal;
  if (from.console_size) {
    result.window_size =
        isolation::WindowSize{.rows = static_cast<unsigned short>(from.console_size->height),
                              .columns = static_cast<unsigned short>(from.console_size->width)};
  }
  result.oom_score_adj = from.oom_score_adj;
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

std::uint64_t capability_mask(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const auto& name : names) {
    const auto number = isolation::parse_capability(name);
    if (!number || (isolation::all_capabilities() & isolation::capability_bit(*number)) == 0) {
      base::print_warning("the capability " + name + " is unknown to this kernel and left out");
      continue;
    }
    mask |= isolation::capability_bit(*number);
  }
  return mask;
}

ContainerPlan make_plan(const oci::Spec& spec, const std::string& bundle) {
  const oci::Linux& part = spec.linux_part;
  ContainerPlan plan;
  isolation::Plan& isolated = plan.isolation;
  isolated.namespaces = namespaces(part);
  isolated.uid_mappings = mappings(part.uid_mappings);
  isolated.gid_mappings = mappings(part.gid_mappings);
  isolated.hostname = spec.hostname;
  isolated.domainname = spec.domainname;
  isolated.root.source = isolation::DirectoryRoot{.path = below(bundle, spec.root.path)};
  isolated.root.read_only = spec.root.readonly;
  isolated.root.propagation = propagation(part.rootfs_propagation);
  for (const auto& entry : spec.mounts)
    isolated.mounts.push_back(mount(entry, bundle));
  isolated.devices = devices(part);
  isolated.masked_paths = part.masked_paths;
  isolated.read_only_paths = part.readonly_paths;
  isolated.sysctls.assign(part.sysctl.begin(), part.sysctl.end());
  isolated.process = process(spec.process);
  plan.limits = make_limits(part.resources, part.devices);
  if (part.seccomp)
    plan.seccomp = make_seccomp_profile(*part.seccomp);
  plan.cgroup_name = part.cgroups_path;
  while (plan.cgroup_name.starts_with('/'))
    plan.cgroup_name.erase(0, 1);
  if (plan.cgroup_name.find("..") != std::string::npos) {
    throw base::Error("config.json: linux.cgroupsPath '" + part.cgroups_path +
                      "' leads out of the hierarchy");
  }
  return plan;
}

}  // namespace trine::runtime::backend
