#include <linux/capability.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "jail/confine.h"
#include "monitor/bus_error.h"
#include "monitor/exit_codes.h"
#include "monitor/machine.h"
#include "monitor/probe.h"

/// The virtual machine monitor: one process a machine. It is started with open descriptors by who knows what
/// the machine is for, and tells by its exit code how the machine ended (exit_codes.h). With --probe it
/// measures the host instead.
namespace {

namespace base = trine::base;
namespace hvm = trine::hvm;

constexpr unsigned kTailLines = 60;  ///< a panic alone may take 40

/// SIGTERM stops the machine; SIGQUIT does too, and shows what its console said last.
base::UniqueFd take_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP})
    ::sigaddset(&set, signal);
  // Before any thread is made, so that none of them is interrupted.
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  base::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd)
    base::throw_errno("cannot take signals");
  return fd;
}

/// All descriptors are open by now: from here on the monitor needs no right that an ordinary user has not.
void drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0)
    base::throw_errno("cannot give up capabilities");
}

void print_tail(const hvm::Machine& machine) {
  const std::string tail = machine.console().tail(kTailLines);
  if (tail.empty()) {
    base::print_progress("its console said nothing");
    return;
  }
  std::string text = "its console's last lines:\n  | ";
  for (const char character : tail) {
    text += character;
    if (character == '\n')
      text += "  | ";
  }
  base::print_progress(text);
}

int report(const hvm::Machine& machine, const hvm::End& end, bool show_tail) {
  for (const std::string& failure : machine.device_failures())
    base::print_warning("the guest broke a rule of virtio: " + failure);
  switch (end.kind) {
    case hvm::EndKind::kPowerOff:
      return hvm::kExitPowerOff;
    case hvm::EndKind::kStopped:
      if (show_tail)
        print_tail(machine);
      return hvm::kExitStopped;
    case hvm::EndKind::kReset:
      return hvm::kExitReset;
    case hvm::EndKind::kPanic:
      base::print_error("the guest's kernel panicked");
      print_tail(machine);
      return hvm::kExitPanic;
    case hvm::EndKind::kFault:
      base::print_error("the guest cannot go on: " + end.detail);
      print_tail(machine);
      return hvm::kExitFault;
  }
  return hvm::kExitFailure;
}

}  // namespace

int main(int count, char** arguments) {
  base::set_program_name("trine-vmm");
  // Executed by descriptor, it would be listed under that one's number.
  ::prctl(PR_SET_NAME, "trine-vmm", 0, 0, 0);
  try {
    if (count == 2 && std::string_view(arguments[1]) == "--probe") {
      std::printf("%.1f\n", hvm::probe_guest_code());
      return 0;
    }
    // What a guest might make of the monitor gains nothing from a set-user-id program, and dumps no memory.
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // All threads allocate from one heap: one of its own takes calls that they are not left.
    ::mallopt(M_ARENA_MAX, 1);
    hvm::explain_bus_errors();
    const base::UniqueFd signals = take_signals();
    hvm::Machine machine(hvm::parse_plan(count, arguments));
    drop_capabilities();
    hvm::restrict_files({});  // before the threads are made, which are restricted with this one
    bool show_tail = false;
    const auto on_signal = [&](std::uint32_t /*events*/) {
      signalfd_siginfo info{};
      if (::read(signals.get(), &info, sizeof info) != sizeof info)
        return;
      show_tail = info.ssi_signo == SIGQUIT;
      machine.end({.kind = hvm::EndKind::kStopped});
    };
    if (!machine.loop().watch_always(signals.get(), EPOLLIN, on_signal))
      base::throw_errno("cannot wait for signals");
    const hvm::End end = machine.run([] { hvm::confine_thread(hvm::ThreadKind::kLoop); });
    return report(machine, end, show_tail);
  } catch (const base::Error& error) {
    base::print_error(error);
  } catch (const std::exception& error) {
    base::print_error(error.what());
  }
  return hvm::kExitFailure;
}
