#include "validate.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"

namespace trine::runtime::oci {
namespace {

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw base::Error("config.json: " + what, 0, std::move(hint));
}

void check_version(const Spec& spec) {
  if (!spec.oci_version.starts_with("1.")) {
    refuse("ociVersion " + spec.oci_version + " is not one of version 1", "trine follows runtime-spec 1.3");
  }
}

void check_namespaces(const Spec& spec) {
  constexpr std::array<std::string_view, 8> kTypes{"pid", "network", "mount",  "ipc",
                                                   "uts", "user",    "cgroup", "time"};
  std::set<std::string> types;
  for (const auto& entry : spec.linux_part.namespaces) {
    if (std::ranges::find(kTypes, entry.type) == kTypes.end()) {
      refuse("linux.namespaces has an unknown type '" + entry.type + "'");
    }
    if (!types.insert(entry.type).second)
      refuse("linux.namespaces names " + entry.type + " twice");
    if (!entry.path.empty() && !is_absolute(entry.path)) {
      refuse("linux.namespaces: the path '" + entry.path + "' is not absolute");
    }
  }
  const bool mappings = !spec.linux_part.uid_mappings.empty() || !spec.linux_part.gid_mappings.empty();
  const bool user = types.contains("user");
  if (mappings && !user)
    refuse("linux.uidMappings and gidMappings need a user namespace");
}

bool has_option(const Mount& mount, std::string_view option) {
  return std::ranges::find(mount.options, option) != mount.options.end();
}

void check_mount(const Spec& spec, const Mount& mount, const std::string& field) {
  if (mount.destination.empty())
    refuse(field + ".destination is empty");
  const bool mappings = !mount.uid_mappings.empty();
  if (mappings == mount.gid_mappings.empty())
    refuse(field + " has one of uidMappings and gidMappings: it takes both or neither");
  const bool idmap = mappings || has_option(mount, "idmap") || has_option(mount, "ridmap");
  const bool bind = mount.type == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
  if (idmap && !bind)
    refuse(field + " maps owners, which is for bind mounts");
  if (idmap && !mappings && !has_namespace(spec, "user"))
    refuse(field + " has idmap without uidMappings and gidMappings",
           "give it both, or the container a user namespace, whose own are taken then");
}

void check_mounts(const Spec& spec) {
  for (std::size_t i = 0; i < spec.mounts.size(); ++i)
    check_mount(spec, spec.mounts[i], "mounts[" + std::to_string(i) + "]");
}

void check_hooks(const Hooks& hooks) {
  for (const auto& stage : kHookStages) {
    const auto& entries = hooks.*stage.hooks;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string field = std::string("hooks.") + stage.name + "[" + std::to_string(i) + "]";
      if (!is_absolute(entries[i].path))
        refuse(field + ".path '" + entries[i].path + "' is not an absolute path");
      if (entries[i].timeout.value_or(1) <= 0)
        refuse(field + ".timeout must be above 0", "leave it out to wait without end");
    }
  }
}

void check_host_name(const Spec& spec) {
  constexpr std::size_t kMaxName = 64;  // __NEW_UTS_LEN
  if (spec.hostname.size() > kMaxName || spec.domainname.size() > kMaxName) {
    refuse("hostname and domainname must have at most 64 bytes");
  }
  if ((!spec.hostname.empty() || !spec.domainname.empty()) && !has_namespace(spec, "uts")) {
    refuse("hostname needs a uts namespace: without one it would be the host's own that is changed");
  }
}

/// A sysctl is set in the container's namespaces, or it is the whole machine's.
void check_sysctl(const Spec& spec, std::string name) {
  if (name.find('/') != std::string::npos)
    std::ranges::replace(name, '/', '.');
  constexpr std::array<std::string_view, 7> kIpc{"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
                                                 "kernel.sem",    "kernel.shmall", "kernel.shmmax",
                                                 "kernel.shmmni"};
  const bool ipc = std::ranges::find(kIpc, name) != kIpc.end() || name == "kernel.shm_rmid_forced" ||
                   name.starts_with("fs.mqueue.");
  if (name.find("..") != std::string::npos)
    refuse("linux.sysctl '" + name + "' is no sysctl");
  if (ipc && has_namespace(spec, "ipc"))
    return;
  if (name.starts_with("net.") && has_namespace(spec, "network"))
    return;
  if (name == "kernel.domainname" && has_namespace(spec, "uts"))
    return;
  if (name == "kernel.hostname")
    refuse("linux.sysctl kernel.hostname", "use hostname");
  refuse("linux.sysctl " + name + " is not in a namespace of the container: it would be set on the host",
         ipc ? "give the container an ipc namespace"
             : "sysctls of net.*, kernel.shm*, kernel.msg*, kernel.sem and "
               "fs.mqueue.* can be set");
}

void check_paths(const std::vector<std::string>& paths, const std::string& field) {
  for (const auto& path : paths) {
    if (!is_absolute(path))
      refuse(field + ": '" + path + "' is not an absolute path");
  }
}

void check_devices(const Linux& part) {
  for (const auto& device : part.devices) {
    if (device.type != "c" && device.type != "b" && device.type != "u" && device.type != "p") {
      refuse("linux.devices: the type '" + device.type + "' is none of c, b, u and p");
    }
    if (!is_absolute(device.path))
      refuse("linux.devices: '" + device.path + "' is not an absolute path");
  }
  for (const auto& rule : part.resources.devices) {
    if (rule.type != "a" && rule.type != "b" && rule.type != "c") {
      refuse("linux.resources.devices: the type '" + rule.type + "' is none of a, b and c");
    }
    // Some lists deny "rwa", which runc takes. To allow more than is named would be another thing.
    if (rule.access.find_first_not_of(rule.allow ? "rwm" : "rwma") != std::string::npos) {
      refuse("linux.resources.devices: the access '" + rule.access + "' holds more than r, w and m");
    }
  }
}

void check_vm(const Vm& vm) {
  const std::array<std::pair<const char*, const std::string*>, 3> paths{
      {{"vm.hypervisor.path", &vm.hypervisor},
       {"vm.kernel.path", &vm.kernel},
       {"vm.kernel.initrd", &vm.initrd}}};
  for (const auto& [field, path] : paths) {
    const bool may_be_empty = path != &vm.kernel;
    if (!is_absolute(*path) && !(may_be_empty && path->empty()))
      refuse(std::string(field) + " '" + *path + "' is not an absolute path");
  }
}

}  // namespace

void refuse(const std::string& field, const std::string& what, std::string hint) {
  throw base::Error(field + " " + what, 0, std::move(hint));
}

bool has_namespace(const Spec& spec, std::string_view type) {
  return std::ranges::any_of(spec.linux_part.namespaces,
                             [&](const Namespace& entry) { return entry.type == type; });
}

bool has_new_namespace(const Spec& spec, std::string_view type) {
  return std::ranges::any_of(spec.linux_part.namespaces, [&](const Namespace& entry) {
    return entry.type == type && entry.path.empty();
  });
}

bool is_absolute(const std::string& path) {
  return path.starts_with('/');
}

void validate(const Process& process) {
  check_process(process, "process.json: ");
}

void validate(const Spec& spec) {
  check_version(spec);
  check_process(spec.process, "config.json: process.");
  check_namespaces(spec);
  check_mounts(spec);
  check_hooks(spec.hooks);
  check_host_name(spec);
  for (const auto& [name, value] : spec.linux_part.sysctl)
    check_sysctl(spec, name);
  check_paths(spec.linux_part.masked_paths, "linux.maskedPaths");
  check_paths(spec.linux_part.readonly_paths, "linux.readonlyPaths");
  check_devices(spec.linux_part);
  check_time_offsets(spec);
  check_intel_rdt(spec.linux_part);
  check_net_devices(spec);
  if (spec.vm)
    check_vm(*spec.vm);
}

}  // namespace trine::runtime::oci
