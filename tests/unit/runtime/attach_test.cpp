#include "runtime/engine/attach.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "base/error.h"
#include "own_stdio.h"
#include "pty_pair.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime::engine;

namespace {

using Program = std::function<int()>;

/// A child in the place of an instance's first process. With a terminal, that is its session's and its stdio.
base::Process start(const Program& program, const test::Terminal* terminal = nullptr) {
  base::Process process = base::clone_process({});
  if (process)
    return process;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (terminal != nullptr) {
    ::setsid();
    ::ioctl(terminal->peer.get(), TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      ::dup2(terminal->peer.get(), fd);
    ::close(terminal->master.get());
    ::close(terminal->peer.get());
  }
  ::_exit(program());
}

struct Outcome {
  base::ExitStatus status;
  std::string output;
};

/// attach() to a program in a terminal, with `input` as our standard input.
Outcome attach_terminal(const Program& program, const std::string& input = {}, bool raw = false) {
  const test::Scratch scratch;
  scratch.make_file("input", input);
  const base::UniqueFd in(::open(scratch.path("input").c_str(), O_RDONLY | O_CLOEXEC));
  const base::UniqueFd out(::open(scratch.path("output").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  test::Terminal terminal = test::open_terminal();
  if (raw)
    test::make_raw(terminal.peer.get());
  const SignalBlock signals;
  base::Process process = start(program, &terminal);
  terminal.peer.reset();
  Outcome outcome;
  {
    const test::Stdio stdio(in.get(), out.get());
    outcome.status = attach(process, signals, {.terminal = std::move(terminal.master), .interactive = true});
  }
  outcome.output = scratch.content("output");
  return outcome;
}

/// How many bytes there are on the standard input.
std::size_t count_input() {
  std::array<char, 4096> some{};
  std::size_t size = 0;
  for (ssize_t got = 0; (got = ::read(STDIN_FILENO, some.data(), some.size())) > 0;)
    size += static_cast<std::size_t>(got);
  return size;
}

}  // namespace

TEST_CASE("an attached program's exit code, or its signal, comes back") {
  const SignalBlock signals;
  base::Process quiet = start([] { return 7; });
  CHECK(attach(quiet, signals, {}).code == 7);
  base::Process killed = start([] { return ::raise(SIGKILL); });
  CHECK(attach(killed, signals, {}).code == 128 + SIGKILL);
  CHECK(attach_terminal([] { return 9; }).status.code == 9);
}

TEST_CASE("a signal that came before we listened still reaches the program") {
  const SignalBlock signals;
  base::Process process = start([] { return ::pause(); });
  ::raise(SIGUSR1);
  const auto status = attach(process, signals, {});
  CHECK(status.signal == SIGUSR1);
  CHECK(status.code == 128 + SIGUSR1);
}

TEST_CASE("signals of job control and of our own faults are not held back") {
  const SignalBlock signals;
  for (const int number : {SIGTSTP, SIGCONT, SIGTTIN, SIGTTOU, SIGCHLD, SIGSEGV, SIGABRT})
    CHECK(::sigismember(&signals.signals(), number) == 0);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGRTMIN})
    CHECK(::sigismember(&signals.signals(), number) == 1);
}

TEST_CASE("the mask of signals is as before afterwards") {
  const auto is_blocked = [](int number) {
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    return ::sigismember(&mask, number) == 1;
  };
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  {
    const SignalBlock signals;
    CHECK(is_blocked(SIGHUP));
    CHECK(is_blocked(SIGPIPE));
  }
  CHECK_FALSE(is_blocked(SIGHUP));
  CHECK_FALSE(is_blocked(SIGPIPE));
}

TEST_CASE("what a program in a terminal writes last is not lost") {
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    text += std::to_string(i) + "\n";
  const auto write_all = [&] {
    for (std::size_t put = 0; put < text.size();) {
      const ssize_t some = ::write(STDOUT_FILENO, text.data() + put, text.size() - put);
      if (some < 0)
        return 1;
      put += static_cast<std::size_t>(some);
    }
    return 0;
  };
  const auto outcome = attach_terminal(write_all, {}, true);
  CHECK(outcome.status.code == 0);
  CHECK(outcome.output == text);
}

TEST_CASE("a program in a terminal sees the end of our input") {
  CHECK(attach_terminal([] { return static_cast<int>(count_input()); }, "one\ntwo\n").status.code == 8);
  CHECK(attach_terminal([] { return static_cast<int>(count_input()); }, "one\ntwo").status.code == 7);
  CHECK(attach_terminal([] { return static_cast<int>(count_input()); }).status.code == 0);
}

TEST_CASE("an output that takes no more ends the attachment with an error") {
  test::Terminal terminal = test::open_terminal();
  const base::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const base::UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const SignalBlock signals;
  base::Process process = start(
      [] {
        const ssize_t put = ::write(STDOUT_FILENO, "x", 1);
        return put == 1 ? ::pause() : 1;
      },
      &terminal);
  terminal.peer.reset();
  const auto run = [&] {
    const test::Stdio stdio(null.get(), full.get());
    attach(process, signals, {.terminal = std::move(terminal.master)});
  };
  CHECK_THROWS_AS(run(), base::Error);
  process.signal(SIGKILL);
  CHECK(process.wait().code != 0);
}

TEST_CASE("a trine without a terminal of its own has no window size") {
  const base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::optional<isolation::WindowSize> size;
  {
    const test::Stdio stdio(null.get(), null.get());
    size = own_window_size();
  }
  CHECK_FALSE(size);
}
