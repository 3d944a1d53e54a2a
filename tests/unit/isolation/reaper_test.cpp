// The reaper is PID 1 of a container; here it is a process that its orphans go to, which is all it needs.
#include "reaper.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/pipe.h"
#include "pty_pair.h"

using namespace trine;
using isolation::run_reaper;

namespace {

using Program = std::function<int()>;

/// A reaper whose program ends with what `program` returns. With a terminal, that is its session's and its
/// standard input, as PID 1 of a container has it.
pid_t start_reaper(const Program& program, int terminal = -1) {
  const pid_t pid = ::fork();
  if (pid != 0)
    return pid;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (terminal >= 0) {
    ::setsid();
    ::ioctl(terminal, TIOCSCTTY, 0);
    ::dup2(terminal, STDIN_FILENO);
  }
  const auto channels = isolation::make_channel();
  run_reaper([&] { ::_exit(program()); }, terminal >= 0, channels.child);
}

/// As a shell tells it.
int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const Program& program, int terminal = -1) {
  return wait_for(start_reaper(program, terminal));
}

/// Waits for a byte, or for the end; false when neither comes in ten seconds.
bool wait_readable(int fd) {
  pollfd waiter{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiter, 1, 10'000) == 1;
}

void say(int fd) {
  if (::write(fd, "!", 1) != 1)
    ::_exit(97);
}

/// Whether there is no such process any more, not even as a zombie.
bool is_reaped(pid_t pid) {
  for (int tries = 0; tries < 1000; ++tries) {
    if (::kill(pid, 0) != 0 && errno == ESRCH)
      return true;
    ::usleep(10'000);
  }
  return false;
}

/// Leaves a process behind that has ended, whose parent has too.
pid_t make_orphan() {
  const base::Pipe pipe = base::make_pipe();
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t orphan = ::fork();
    if (orphan == 0)
      ::_exit(0);
    ::_exit(::write(pipe.writer.get(), &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
  }
  ::waitpid(parent, nullptr, 0);
  pid_t orphan = -1;
  return ::read(pipe.reader.get(), &orphan, sizeof orphan) == sizeof orphan ? orphan : -1;
}

}  // namespace

TEST_CASE("the reaper ends as its program ends") {
  CHECK(run([] { return 0; }) == 0);
  CHECK(run([] { return 7; }) == 7);
  CHECK(run([] { return ::raise(SIGKILL); }) == 128 + SIGKILL);
}

TEST_CASE("the reaper reaps what its program leaves behind") {
  CHECK(run([] {
          const pid_t orphan = make_orphan();
          return orphan > 0 && is_reaped(orphan) ? 0 : 1;
        }) == 0);
}

TEST_CASE("the end of an orphan is not taken for the program's") {
  CHECK(run([] {
          is_reaped(make_orphan());
          return 5;
        }) == 5);
}

TEST_CASE("signals for the reaper go to its program") {
  for (const int number : {SIGUSR1, SIGTERM, SIGHUP, SIGRTMIN + 1}) {
    const base::Pipe ready = base::make_pipe();
    const pid_t reaper = start_reaper([&] {
      sigset_t expected;
      ::sigemptyset(&expected);
      ::sigaddset(&expected, number);
      ::sigprocmask(SIG_BLOCK, &expected, nullptr);
      say(ready.writer.get());
      int got = 0;
      ::sigwait(&expected, &got);
      return got == number ? 42 : 1;
    });
    CHECK(wait_readable(ready.reader.get()));
    ::kill(reaper, number);
    CHECK(wait_for(reaper) == 42);
  }
}

TEST_CASE("the program begins with the signals that were blocked before, and no others") {
  CHECK(run([] {
          sigset_t blocked;
          ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
          return ::sigismember(&blocked, SIGTERM) == 0 && ::sigismember(&blocked, SIGCHLD) == 0 ? 0 : 1;
        }) == 0);
}

TEST_CASE("the reaper keeps no descriptor open") {
  base::Pipe held = base::make_pipe();
  const base::Pipe go_on = base::make_pipe();
  const pid_t reaper = start_reaper([&] {
    held.writer.reset();
    return wait_readable(go_on.reader.get()) ? 0 : 1;
  });
  held.writer.reset();
  char byte = 0;
  CHECK(wait_readable(held.reader.get()));
  CHECK(::read(held.reader.get(), &byte, 1) == 0);
  say(go_on.writer.get());
  CHECK(wait_for(reaper) == 0);
}

TEST_CASE("the program is a process group of its own, and the terminal's") {
  const auto terminal = test::open_terminal();
  CHECK(run([] { return ::getpgrp() == ::getpid() ? 0 : 1; }) == 0);
  CHECK(run([] { return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp() ? 0 : 1; }, terminal.peer.get()) == 0);
}
