#include "runtime/backend/vm.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "hvm-sandbox/kernels.h"
#include "hvm-sandbox/protocol.h"
#include "isolation/seccomp.h"
#include "runtime/attach/terminal_mode.h"
#include "vm_monitor.h"
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

hvm::StartRequest make_request(VmOptions& options) {
  GuestPlan plan{.isolation_part = std::move(options.plan), .limits = std::move(options.limits)};
  return {.layers = static_cast<std::uint32_t>(options.layer_disks.size()),
          .files = std::move(options.files),
          .terminal = plan.isolation_part.process.terminal,
          .input = options.interactive,
          .plan = hvm::wire::encode(plan)};
}

}  // namespace

std::string guest_file(const std::string& name) {
  return std::string(hvm::kFilesDirectory) + "/" + name;
}

VmEnd run_vm(VmOptions options, const attach::SignalBlock& signals) {
  const hvm::StartRequest request = make_request(options);
  Monitor monitor({.kernel = options.kernel_directory + "/" + hvm::kKernelFile,
                   .initramfs_files = {options.kernel_directory + "/" + hvm::kModulesFile},
                   .command_line = kCommandLine,
                   .memory_bytes = options.memory_bytes,
                   .cpus = options.cpus,
                   .read_only_disks = options.layer_disks});
  if (options.on_created)
    options.on_created(monitor.process().pid());
  const attach::RawMode raw(request.terminal && options.interactive ? STDIN_FILENO : -1);
  VmSession session(monitor, signals, request,
                    {.boot_limit = options.boot_limit,
                     .control = std::move(options.control),
                     .on_paused = std::move(options.on_paused)});
  return session.run();
}

}  // namespace trine::runtime::backend
