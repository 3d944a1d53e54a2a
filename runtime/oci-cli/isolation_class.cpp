#include "isolation_class.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/process.h"
#include "isolation/capabilities.h"
#include "isolation/rootless.h"
#include "runtime/policy/files.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr const char* kAnnotation = "dev.trine.isolation";

policy::Request request_of(const oci::Spec& spec) {
  const auto found = spec.annotations.find(kAnnotation);
  const std::string value = found == spec.annotations.end() ? "" : found->second;
  if (value == "container" && spec.vm)
    throw base::Error(
        std::string("config.json: vm asks for a VM, and the annotation ") + kAnnotation + " for a container",
        0, "leave one of them out");
  if (value == "vm" || spec.vm)
    return policy::Request::kVm;
  if (value == "container")
    return policy::Request::kContainer;
  if (value == "full")
    throw base::Error("the isolation class full is not built into this version of trine");
  if (!value.empty() && value != "auto")
    throw base::Error(std::string("the annotation ") + kAnnotation + " has an unknown value '" + value + "'",
                      0, "it is container, vm, full or auto");
  return value.empty() ? policy::Request::kUnsaid : policy::Request::kAuto;
}

std::uint64_t capabilities_of(const oci::Spec& spec) {
  std::uint64_t mask = 0;
  if (!spec.process.capabilities)
    return mask;
  const oci::Capabilities& sets = *spec.process.capabilities;
  for (const auto* names :
       {&sets.bounding, &sets.effective, &sets.permitted, &sets.inheritable, &sets.ambient}) {
    for (const std::string& name : *names) {
      if (const auto number = isolation::parse_capability(name))
        mask |= isolation::capability_bit(*number);
    }
  }
  return mask;
}

bool has_all_capabilities(const oci::Spec& spec) {
  return (isolation::available_capabilities() & ~capabilities_of(spec)) == 0;
}

std::uint64_t capabilities_beyond(const oci::Spec& spec) {
  return capabilities_of(spec) & ~isolation::kDefaultCapabilities;
}

/// The path of the network namespace that it joins; empty for a new one.
std::string network_of(const oci::Spec& spec) {
  for (const oci::Namespace& entry : spec.linux_part.namespaces) {
    if (entry.type == "network")
      return entry.path;
  }
  return "";
}

bool has_host_network(const oci::Spec& spec) {
  if (!oci::has_namespace(spec, "network"))
    return true;
  const std::string path = network_of(spec);
  struct stat joined{};
  struct stat own{};
  if (path.empty())
    return false;
  // What cannot be looked at may be anybody's.
  return ::stat(path.c_str(), &joined) != 0 || ::stat("/proc/self/ns/net", &own) != 0 ||
         (joined.st_dev == own.st_dev && joined.st_ino == own.st_ino);
}

bool is_bind(const oci::Mount& mount) {
  return mount.type == "bind" || std::ranges::any_of(mount.options, [](const std::string& option) {
           return option == "bind" || option == "rbind";
         });
}

/// Whether the rule opens a device of the machine, not just the making of its node.
bool opens_devices(const oci::DeviceRule& rule) {
  const bool many = rule.type == "a" || !rule.major || !rule.minor;
  return rule.allow && many && rule.access.find_first_of("rw") != std::string::npos;
}

struct Privilege {
  std::string_view name;
  bool (*is_asked)(const oci::Spec&);
};

constexpr std::array kAsked{
    Privilege{"privileged", has_all_capabilities},
    Privilege{"capability", [](const oci::Spec& s) { return capabilities_beyond(s) != 0; }},
    Privilege{"host-network", has_host_network},
    Privilege{"container-network", [](const oci::Spec& s) { return !network_of(s).empty(); }},
    Privilege{"bind", [](const oci::Spec& s) { return std::ranges::any_of(s.mounts, is_bind); }},
    Privilege{"device",
              [](const oci::Spec& s) {
                return !s.linux_part.devices.empty() ||
                       std::ranges::any_of(s.linux_part.resources.devices, opens_devices);
              }},
    Privilege{"seccomp",
              [](const oci::Spec& s) {
                return !s.linux_part.seccomp || s.linux_part.seccomp->default_action == "SCMP_ACT_ALLOW";
              }},
    Privilege{"sysctl", [](const oci::Spec& s) { return !s.linux_part.sysctl.empty(); }},
};
static_assert(kAsked.size() == std::size(policy::kPrivileges));

std::vector<std::string> privileges_of(const oci::Spec& spec) {
  constexpr std::string_view kPrefix = "CAP_";
  std::vector<std::string> asked;
  for (const Privilege& privilege : kAsked) {
    if (privilege.is_asked(spec))
      asked.emplace_back(privilege.name);
  }
  if (has_all_capabilities(spec))
    asked.emplace_back("capability:ALL");
  for (int number = 0; !isolation::capability_name(number).empty(); ++number) {
    if ((capabilities_beyond(spec) & isolation::capability_bit(number)) != 0)
      asked.push_back("capability:" + std::string(isolation::capability_name(number).substr(kPrefix.size())));
  }
  return asked;
}

void require_asked(const policy::Workload& workload, policy::Class asked,
                   const std::vector<policy::IsolationPolicy>& policies) {
  const policy::Rule* rule = policy::find_demand(policies, workload, asked);
  if (rule == nullptr)
    return;
  const std::string wanted(policy::class_name(rule->isolation));
  throw base::Error("cannot make a " + std::string(policy::class_name(asked)) + " of " + workload.asked +
                        ", as it asks: the isolation policy demands " + wanted + " (" + rule->place + ")" +
                        (rule->reason.empty() ? "" : ": " + rule->reason),
                    0,
                    std::string("give it the annotation ") + kAnnotation + "=" + wanted +
                        " or none, or have that rule changed");
}

}  // namespace

std::vector<policy::IsolationPolicy> load_policies() {
  std::vector<policy::IsolationPolicy> policies;
  // Root of an engine's user namespace sees root's files as nobody's, whom nobody else can be there.
  constexpr std::uint32_t kOverflowUser = 65534;
  const bool is_there = ::access(policy::kSystemDirectory, F_OK) == 0 || errno != ENOENT;
  const std::uint32_t owner = is_there && base::in_user_namespace() ? kOverflowUser : 0;
  if (is_there) {
    if (auto policy = policy::load_policy(policy::kSystemDirectory, owner))
      policies.push_back(std::move(*policy));
  }
  if (!isolation::is_rootless())
    return policies;
  if (auto policy = policy::load_policy(policy::own_directory(), ::geteuid()))
    policies.push_back(std::move(*policy));
  return policies;
}

policy::Workload describe_workload(const oci::Spec& spec, const std::string& bundle) {
  policy::Workload workload{.asked = "bundle " + bundle, .images = {"bundle:" + bundle}, .digest = {}};
  workload.user_id = ::geteuid();
  workload.user = isolation::own_user_name();
  workload.privileges = privileges_of(spec);
  workload.labels = spec.annotations;
  return workload;
}

policy::Class choose_class(const oci::Spec& spec, const std::string& bundle,
                           const std::vector<policy::IsolationPolicy>& policies) {
  const policy::Request request = request_of(spec);
  const bool is_asked = request == policy::Request::kContainer || request == policy::Request::kVm;
  const policy::Class asked =
      request == policy::Request::kVm ? policy::Class::kVm : policy::Class::kContainer;
  if (policies.empty())
    return asked;
  const policy::Workload workload = describe_workload(spec, bundle);
  if (is_asked) {
    require_asked(workload, asked, policies);
    return asked;
  }
  const policy::Decision decision = policy::decide(policies, workload, request);
  if (decision.isolation == policy::Class::kFull)
    throw base::Error("cannot make anything of " + workload.asked +
                          ": the isolation policy has it be of class full (" + decision.place +
                          "), which is not built into this version of trine",
                      0, "a stronger class is never replaced by a weaker one");
  return decision.isolation;
}

}  // namespace trine::runtime::oci_cli
