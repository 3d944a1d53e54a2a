#include "runtime/backend/vm.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "hvm-sandbox/kernels.h"
#include "hvm-sandbox/protocol.h"
#include "isolation/seccomp.h"
#include "runtime/attach/terminal_mode.h"
#include "vm_monitor.h"
#include "vm_network_codec.h"
#include "vm_plan_codec.h"
#include "vm_session.h"

namespace trine::runtime::backend {
namespace {

/// The kernel says nothing but what is wrong, and a panic ends the machine: the monitor tells why. The guest
/// has no PCI, and of the keyboard controller only the reset line.
///
/// The last line leaves out what takes a distribution's kernel most of its start, and a guest nothing: tests
/// of its ciphers, which were tested before; the certificates of modules' signatures, which are taken off
/// when a kernel is imported; and two passes over all symbols for the listings of its tracing. A kernel
/// without one of them takes no notice.
constexpr const char* kCommandLine =
    "console=ttyS0 quiet panic=-1 reboot=k pci=off i8042.noaux i8042.nopnp i8042.dumbkbd tsc=reliable "
    "random.trust_cpu=on "
    "cryptomgr.notests "
    "initcall_blacklist=load_system_certificate_list,ftrace_check_for_weak_functions,trace_eval_init";

std::string command_line(const std::vector<std::string>& parameters) {
  std::string line = kCommandLine;
  for (const std::string& parameter : parameters)
    line += " " + parameter;
  return line;
}

std::vector<hvm::GuestShare> shares_of(const VmOptions& options) {
  std::vector<hvm::GuestShare> shares;
  shares.reserve(options.shares.size());
  for (const VmShare& share : options.shares)
    shares.push_back({.tag = share.tag, .read_only = share.read_only});
  return shares;
}

/// Mapped, an image is in the host's memory once for all its VMs. The guest pays for it with a description of
/// each page, 64 bytes of 4,096, which a small guest cannot spare for a large image.
bool can_map_layers(const VmOptions& options) {
  constexpr std::uint64_t kMostPerMemory = 2;  ///< descriptions take 3 % of the guest's memory then
  if (options.disk_rate.is_given())
    return false;  // what is mapped is read without the monitor, which could not hold it up
  if (!std::filesystem::exists(options.kernel_directory + "/" + hvm::kMapsDisksFile))
    return false;
  std::uint64_t bytes = 0;
  for (const std::string& disk : options.layer_disks) {
    std::error_code error;
    bytes += std::filesystem::file_size(disk, error);
    if (error)
      return false;  // who opens it says why
  }
  return bytes <= options.memory_bytes * kMostPerMemory;
}

hvm::StartRequest make_request(VmOptions& options) {
  GuestPlan plan{.isolation_part = std::move(options.plan), .limits = std::move(options.limits)};
  return {.layers = static_cast<std::uint32_t>(options.layer_disks.size()),
          .mapped_layers = can_map_layers(options),
          .files = std::move(options.files),
          .shares = shares_of(options),
          .terminal = plan.isolation_part.process.terminal,
          .input = options.interactive,
          .plan = hvm::wire::encode(plan)};
}

/// As trine-vmm's --net takes them.
std::string options_of(const netns::Interface& interface, const Rate& rate) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string mac;
  for (const char byte : interface.mac) {
    const auto value = static_cast<unsigned char>(byte);
    if (!mac.empty())
      mac += ':';
    mac += kHex[value >> 4U];
    mac += kHex[value & 0xfU];
  }
  std::string options = "mac=" + mac + ",mtu=" + std::to_string(interface.mtu);
  if (rate.bytes > 0)
    options += ",bytes-per-second=" + std::to_string(rate.bytes);
  if (rate.count > 0)
    options += ",packets-per-second=" + std::to_string(rate.count);
  return options;
}

std::vector<MonitorNic> monitor_nics(const VmOptions& options) {
  std::vector<MonitorNic> result;
  result.reserve(options.nics.size());
  for (const VmNic& nic : options.nics) {
    MonitorNic& made = result.emplace_back();
    made.options = options_of(nic.interface, options.net_rate);
    for (const base::UniqueFd& tap : nic.taps)
      made.taps.push_back(tap.get());
  }
  return result;
}

/// The payload of NET; empty: none is sent.
std::string network_of(const std::vector<VmNic>& nics) {
  std::vector<netns::Interface> interfaces;
  interfaces.reserve(nics.size());
  for (const VmNic& nic : nics)
    interfaces.push_back(nic.interface);
  return interfaces.empty() ? std::string() : hvm::wire::encode(interfaces);
}

}  // namespace

std::string guest_file(const std::string& name) {
  return std::string(hvm::kFilesDirectory) + "/" + name;
}

std::string guest_share(const std::string& tag, bool is_directory) {
  return std::string(hvm::kSharesDirectory) + "/" + tag + (is_directory ? "" : hvm::kSingleShare);
}

VmEnd run_vm(VmOptions options, const attach::SignalBlock& signals) {
  const hvm::StartRequest request = make_request(options);
  Monitor monitor({.kernel = options.kernel_directory + "/" + hvm::kKernelFile,
                   .initramfs_files = {options.kernel_directory + "/" + hvm::kModulesFile},
                   .command_line = command_line(options.kernel_parameters),
                   .memory_bytes = options.memory_bytes,
                   .cpus = options.cpus,
                   .pages = options.pages,
                   .read_only_disks = options.layer_disks,
                   .map_disks = request.mapped_layers,
                   .disk_rate = options.disk_rate,
                   .shares = std::move(options.shares),
                   .nics = monitor_nics(options),
                   .cgroup_name = options.cgroup_name,
                   .cpu = options.cpu,
                   .on_created = options.on_created});
  const std::string network = network_of(options.nics);
  options.nics.clear();  // the taps are the monitor's now, and end with it
  const attach::RawMode raw(request.terminal && options.interactive ? STDIN_FILENO : -1);
  VmSession session(monitor, signals, request,
                    {.boot_limit = options.boot_limit,
                     .control = std::move(options.control),
                     .on_started = std::move(options.on_started),
                     .on_paused = std::move(options.on_paused),
                     .network = network});
  return session.run();
}

}  // namespace trine::runtime::backend
