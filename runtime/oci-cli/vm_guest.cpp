#include "vm_guest.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "hvm-sandbox/kernels.h"
#include "isolation/rootless.h"
#include "isolation/seccomp.h"
#include "isolation/start.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/plan.h"
#include "runtime/backend/vm_shares.h"
#include "vm_config.h"
#include "vm_keeper.h"
#include "vm_rates.h"
#include "vm_section.h"

namespace trine::runtime::oci_cli {
namespace {

/// What a bundle can ask for that a guest has nothing of.
struct Meaningless {
  const char* field;
  bool (*is_asked)(const oci::Spec&);
  const char* hint;
};

bool joins(const oci::Spec& spec, std::string_view type) {
  return std::ranges::any_of(spec.linux_part.namespaces, [&](const oci::Namespace& entry) {
    return entry.type == type && !entry.path.empty();
  });
}

constexpr std::array kMeaningless{
    Meaningless{"linux.namespaces: a pid namespace to join", [](const auto& s) { return joins(s, "pid"); },
                "processes of a guest are not the host's: give each container a pid namespace of its own"},
    Meaningless{"linux.namespaces: an ipc namespace to join", [](const auto& s) { return joins(s, "ipc"); },
                "memory is not shared with a guest: give each container an ipc namespace of its own"},
    Meaningless{"linux.namespaces: a mount namespace to join",
                [](const auto& s) { return joins(s, "mount"); }, ""},
    Meaningless{"linux.namespaces: a user namespace to join", [](const auto& s) { return joins(s, "user"); },
                ""},
    Meaningless{"linux.namespaces without network",
                [](const auto& s) { return !oci::has_namespace(s, "network"); },
                "a guest has a network of its own: it cannot be the host's"},
    Meaningless{"linux.namespaces without pid", [](const auto& s) { return !oci::has_namespace(s, "pid"); },
                "processes of a guest are not the host's"},
    Meaningless{"linux.namespaces without mount",
                [](const auto& s) { return !oci::has_namespace(s, "mount"); }, ""},
    Meaningless{"linux.devices", [](const auto& s) { return !s.linux_part.devices.empty(); },
                "a guest has devices of its own"},
    Meaningless{"hooks.startContainer", [](const auto& s) { return !s.hooks.start_container.empty(); },
                "hooks of a VM run on the host: use createRuntime or createContainer"},
    Meaningless{
        "linux.seccomp with a listener",
        [](const auto& s) { return s.linux_part.seccomp && !s.linux_part.seccomp->listener_path.empty(); },
        "the notifications of a guest's filter cannot be answered on the host"},
};

std::uint64_t memory_of(const oci::Spec& spec, const VmConfig& config) {
  const auto& limit = spec.linux_part.resources.memory.limit;
  if (!limit || *limit <= 0)
    return config.memory_bytes;
  const auto bytes = static_cast<std::uint64_t>(*limit);
  if (bytes < backend::kLeastVmMemory) {
    throw base::Error("linux.resources.memory.limit of " + std::to_string(bytes >> 20U) +
                          " MiB is too little for a VM, kernel and all",
                      0, "give it " + std::to_string(backend::kLeastVmMemory >> 20U) + " MiB or more");
  }
  return bytes;
}

/// Whole processors: a part of one counts as one.
unsigned cpus_of(const oci::Spec& spec, const VmConfig& config) {
  constexpr std::uint64_t kMost = 64;
  constexpr std::uint64_t kDefaultPeriod = 100'000;
  const auto& cpu = spec.linux_part.resources.cpu;
  if (!cpu.quota || *cpu.quota <= 0)
    return config.cpus;
  const std::uint64_t period = std::max<std::uint64_t>(cpu.period.value_or(kDefaultPeriod), 1);
  const std::uint64_t cpus = (static_cast<std::uint64_t>(*cpu.quota) + period - 1) / period;
  return static_cast<unsigned>(std::min(cpus, kMost));
}

/// What the machine's size is already is no limit inside of it, and its devices are the guest's.
cgroups::Limits limits_inside(const cgroups::Limits& limits) {
  return {.pids_max = limits.pids_max};
}

/// The guest has one network, the keeper's, and all of the host's names for namespaces mean nothing in it.
void strip(isolation::Plan& plan) {
  std::erase_if(plan.namespaces,
                [](const isolation::Namespace& entry) { return entry.type == CLONE_NEWNET; });
  for (isolation::Namespace& entry : plan.namespaces)
    entry.path.clear();
  plan.mount_label.clear();
  plan.resctrl.reset();
  plan.staging_directory.clear();
  plan.process = process_in_guest(std::move(plan.process));
}

/// Whether a mount may be where the program is: none of a file system that comes up empty, and of what is
/// bound, not what engines bind into every container.
bool may_hold_programs(const oci::Mount& mount) {
  constexpr std::array<std::string_view, 7> kTypes{"proc",   "sysfs",  "tmpfs",  "devpts",
                                                   "mqueue", "cgroup", "cgroup2"};
  constexpr std::array<std::string_view, 6> kBound{"/etc/hosts",         "/etc/hostname", "/etc/resolv.conf",
                                                   "/run/.containerenv", "/run/secrets",  "/dev/shm"};
  return std::ranges::find(kTypes, mount.type) == kTypes.end() &&
         std::ranges::find(kBound, mount.destination) == kBound.end();
}

}  // namespace

void check_for_vm(const oci::Spec& spec) {
  for (const Meaningless& entry : kMeaningless) {
    if (entry.is_asked(spec))
      throw base::Error(
          "config.json: " + std::string(entry.field) + " cannot be had with the isolation class vm", 0,
          entry.hint);
  }
  const VmConfig config = read_vm_config();
  (void)memory_of(spec, config);
  (void)choose_net_rate(spec, config);
  if (spec.vm &&
      ::access((choose(*spec.vm, config).kernel_directory + "/" + hvm::kKernelFile).c_str(), R_OK) != 0)
    throw base::Error(
        "config.json: vm.kernel.path '" + spec.vm->kernel + "' is no guest kernel", errno,
        "it is a directory of those that trine kernel import makes; trine kernel ls lists them");
}

void check_guest_program(const oci::Spec& spec, const std::string& bundle) {
  if (std::ranges::any_of(spec.mounts, may_hold_programs) || spec.process.args.empty())
    return;
  const bool absolute = spec.root.path.starts_with('/');
  const base::UniqueFd root =
      base::open_file(absolute ? spec.root.path : bundle + "/" + spec.root.path, O_PATH | O_DIRECTORY);
  isolation::check_program(root.get(), backend::make_process(spec.process, spec.linux_part));
}

std::uint64_t guest_memory(const oci::Spec& spec) {
  return memory_of(spec, read_vm_config());
}

isolation::Process process_in_guest(isolation::Process process) {
  process.apparmor_profile.clear();
  process.selinux_label.clear();
  process.initial_cpus.clear();
  process.final_cpus.clear();
  process.preserved_descriptors = 0;
  process.user.keep_groups = false;
  return process;
}

backend::VmOptions make_guest(const Globals& globals, const Container& container) {
  const oci::Spec spec = container.load_spec();
  const VmConfig config = read_vm_config();
  backend::ContainerPlan plan = backend::make_plan(spec, container.state.bundle, container.state.id);
  backend::VmOptions vm;
  if (plan.seccomp)
    plan.isolation.seccomp = isolation::cached_seccomp(*plan.seccomp, globals.root + "/.seccomp");
  vm.plan = std::move(plan.isolation);
  vm.limits = limits_inside(plan.limits);
  strip(vm.plan);
  backend::share_root(vm);
  backend::share_binds(vm);
  vm.plan.process.create_cwd = true;
  VmChoice choice =
      spec.vm ? choose(*spec.vm, config)
              : VmChoice{.kernel_directory = hvm::find_kernel(config.kernels, config.kernel).directory,
                         .parameters = {}};
  vm.kernel_directory = std::move(choice.kernel_directory);
  vm.kernel_parameters = std::move(choice.parameters);
  vm.memory_bytes = container.state.vm_memory;
  vm.cpus = cpus_of(spec, config);
  vm.net_rate = choose_net_rate(spec, config);
  vm.interactive = true;
  vm.boot_limit = config.boot_limit;
  if (vm.plan.process.terminal)
    vm.plan.process.window_size = attach::own_window_size();
  return vm;
}

}  // namespace trine::runtime::oci_cli
