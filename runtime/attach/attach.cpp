#include "runtime/attach/attach.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/error.h"
#include "runtime/attach/terminal_mode.h"
#include "terminal_pump.h"

namespace trine::runtime::attach {
namespace {

/// SIGCHLD is our own business, SIGPIPE tells of our own output; the faults must act on us.
constexpr std::array kNotForwarded{SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGURG,
                                   SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT, SIGSYS};

base::UniqueFd open_signals(const sigset_t& signals) {
  base::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd)
    base::throw_errno("cannot listen for signals");
  return fd;
}

void pass_on(int signals, base::Process& process, const TerminalPump* pump) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH) {
      if (pump != nullptr)
        pump->resize();
    } else {
      process.signal(number);
    }
  }
}

/// False when the time, in milliseconds, is over.
bool wait_for(pollfd* waits, nfds_t count, int timeout) {
  for (;;) {
    const int ready = ::poll(waits, count, timeout);
    if (ready >= 0)
      return ready > 0;
    if (errno != EINTR)
      base::throw_errno("cannot wait for the instance");
  }
}

base::ExitStatus attach_without_terminal(base::Process& process, int signals) {
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{.fd = process.pidfd(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = signals, .events = POLLIN, .revents = 0}};
    wait_for(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0)
      pass_on(signals, process, nullptr);
    if (waits[0].revents != 0)
      return process.wait();
  }
}

/// A trine that can show no output any more does not keep the instance from ending, but says so.
base::ExitStatus attach_terminal(base::Process& process, int signals, AttachOptions options) {
  const RawMode raw(options.interactive ? STDIN_FILENO : -1);
  TerminalPump pump(std::move(options.terminal), options.interactive);
  pump.resize();
  for (;;) {
    std::array<pollfd, TerminalPump::kWaits> stdio{};
    pump.prepare(stdio);
    std::array<pollfd, 2 + TerminalPump::kWaits> waits{
        pollfd{.fd = process.pidfd(), .events = POLLIN, .revents = 0},
        pollfd{.fd = signals, .events = POLLIN, .revents = 0}, stdio[0], stdio[1], stdio[2]};
    if (!wait_for(waits.data(), waits.size(), pump.timeout()))
      pump.on_timeout();
    if (waits[1].revents != 0)
      pass_on(signals, process, &pump);
    pump.carry({waits[2], waits[3], waits[4]});
    if (waits[0].revents == 0)
      continue;
    const base::ExitStatus status = process.wait();
    pump.drain();
    return status;
  }
}

}  // namespace

std::optional<isolation::WindowSize> own_window_size() {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return std::nullopt;
  }
  return isolation::WindowSize{.rows = size.ws_row, .columns = size.ws_col};
}

SignalBlock::SignalBlock() {
  ::sigfillset(&signals_);
  for (const int number : kNotForwarded)
    ::sigdelset(&signals_, number);
  sigset_t blocked = signals_;
  // A closed standard output is an error to report, not an end without a word.
  ::sigaddset(&blocked, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &blocked, &before_);
}

SignalBlock::~SignalBlock() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

base::ExitStatus attach(base::Process& process, const SignalBlock& signals, AttachOptions options) {
  const base::UniqueFd fd = open_signals(signals.signals());
  if (!options.terminal)
    return attach_without_terminal(process, fd.get());
  return attach_terminal(process, fd.get(), std::move(options));
}

}  // namespace trine::runtime::attach
