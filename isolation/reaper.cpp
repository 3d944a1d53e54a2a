#include "reaper.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/error.h"

namespace trine::isolation {
namespace {

/// Those that tell of this process's own faults, and must act on it, are not taken for passing on.
sigset_t forwarded_signals() {
  sigset_t set;
  ::sigfillset(&set);
  for (const int own : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU}) {
    ::sigdelset(&set, own);
  }
  return set;
}

/// Reaps all that has ended. When the program itself has, ends with its status.
void reap(pid_t program) {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0)
      return;
    if (pid == program)
      ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

}  // namespace

void run_reaper(const std::function<void()>& execute, bool terminal, const Channel& channel) {
  const sigset_t signals = forwarded_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t program = ::fork();
  if (program < 0)
    base::throw_errno("cannot make the program's process");
  if (program == 0) {
    // A process group of its own, so that a signal of the terminal reaches the program and not the two of us.
    ::setpgid(0, 0);
    if (terminal) {
      ::signal(SIGTTOU, SIG_IGN);
      ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
      ::signal(SIGTTOU, SIG_DFL);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    execute();
    ::_exit(125);
  }
  // The caller takes the end of the channel for the program's start: ours must not hold it open. Nor may
  // PID 1, which never calls exec, keep any other descriptor alive.
  if (::close_range(0, ~0U, 0) != 0)
    ::close(channel.fd());
  for (;;) {
    siginfo_t info{};
    const int number = ::sigwaitinfo(&signals, &info);
    if (number == SIGCHLD) {
      reap(program);
    } else if (number > 0) {
      ::kill(program, number);
    }
  }
}

}  // namespace trine::isolation
