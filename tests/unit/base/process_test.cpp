#include "base/process.h"

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "base/error.h"
#include "scratch.h"

using namespace trine::base;
using trine::test::open_descriptors;

namespace {

/// A child that waits for a signal.
Process sleeper() {
  Process child = clone_process({});
  if (!child) {
    for (;;)
      ::pause();
  }
  return child;
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("a child's exit status comes back") {
  Process child = clone_process({});
  if (!child)
    ::_exit(42);
  const auto status = child.wait();
  CHECK(status.code == 42);
  CHECK(status.signal == 0);
}

TEST_CASE("a child ended by a signal is told as a shell tells it") {
  Process child = sleeper();
  // SIGKILL, because Catch handles the signals that can be handled, in a child too.
  REQUIRE(child.signal(SIGKILL));
  const auto status = child.wait();
  CHECK(status.signal == SIGKILL);
  CHECK(status.code == 128 + SIGKILL);
}

TEST_CASE("try_wait returns nothing while the child runs") {
  Process child = sleeper();
  CHECK_FALSE(child.try_wait());
  REQUIRE(child.signal(SIGKILL));
  CHECK(child.wait().code == 137);
}

TEST_CASE("a signal to a child that is gone is told, and hits nobody else") {
  Process child = clone_process({});
  if (!child)
    ::_exit(0);
  child.wait();
  CHECK_FALSE(child.signal(SIGKILL));
}

TEST_CASE("a namespace asked for is a new one") {
  if (::geteuid() != 0)
    return;
  Process child = clone_process({.flags = CLONE_NEWUTS});
  if (!child)
    ::_exit(::sethostname("inside", 6) == 0 ? 0 : 1);
  CHECK(child.wait().code == 0);
  char name[65] = {};
  REQUIRE(::gethostname(name, sizeof name - 1) == 0);
  CHECK(std::string(name) != "inside");
}

TEST_CASE("a cgroup that is none is an error, not a child elsewhere") {
  CHECK_THROWS_WITH(clone_process({.cgroup = STDIN_FILENO}), Catch::StartsWith("cannot make a process: "));
  CHECK_FALSE(has_children());
}

TEST_CASE("a program's output is collected from both streams, in order") {
  const auto result = run_program("/bin/sh", {"-c", "echo one; echo two >&2; echo three; exit 3"});
  CHECK(result.output == "one\ntwo\nthree\n");
  CHECK(result.status.code == 3);
}

TEST_CASE("a program gets an empty standard input and its arguments as they are") {
  const auto result = run_program("/bin/sh", {"-c", "cat; printf '[%s]' \"$@\"", "sh", "a b", "", "$HOME"});
  CHECK(result.output == "[a b][][$HOME]");
}

TEST_CASE("a program that is not there is an error that names it") {
  CHECK_THROWS_WITH(run_program("/no/such/program", {}),
                    "cannot run /no/such/program: No such file or directory");
}

TEST_CASE("a program is searched in PATH only when its name has no slash") {
  CHECK(run_program("true", {}).status.code == 0);
  CHECK_THROWS_AS(run_program("./true", {}), Error);
}

TEST_CASE("running programs leaves no descriptor and no child") {
  const int before = open_descriptors();
  for (int i = 0; i < 10; ++i)
    run_program("/bin/true", {});
  CHECK(open_descriptors() == before);
  CHECK_FALSE(has_children());
}

TEST_CASE("a program that prints without end is given up") {
  const int before = open_descriptors();
  CHECK_THROWS_WITH(run_program("/bin/sh", {"-c", "while :; do echo xxxxxxxxxxxxxxxx; done"}),
                    Catch::Contains("larger than"));
  CHECK(open_descriptors() == before);
}
