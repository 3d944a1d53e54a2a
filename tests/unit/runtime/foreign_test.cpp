#include "engine/foreign.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime::engine;
using State = Interpreter::State;

namespace {

/// As qemu-user-static's registration for arm64 reads.
std::string arm64_entry(const std::string& state, const std::string& flags) {
  return state + "\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: " + flags +
         "\noffset 0\nmagic 7f454c460201010000000000000000000200b700\n"
         "mask ffffffffffffff00fffffffffffffffffeffffff\n";
}

images::ImageConfig config_for(const char* os, const char* architecture) {
  images::ImageConfig config;
  config.os = os;
  config.architecture = architecture;
  return config;
}

}  // namespace

TEST_CASE("an interpreter is found by what it is registered for, whatever its name") {
  const test::Scratch scratch;
  scratch.make_file("status", "enabled\n");
  scratch.make_file("register");
  scratch.make_file("python3.11",
                    "enabled\ninterpreter /usr/bin/python3.11\nflags: \noffset 0\nmagic a70d0d0a\n");
  scratch.make_file("jar", "enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n");
  scratch.make_file("anything", arm64_entry("enabled", "POCF"));
  const auto found = find_interpreter(scratch.path(), "arm64");
  CHECK(found.state == State::kReady);
  CHECK(found.path == "/usr/libexec/qemu-binfmt/aarch64-binfmt-P");
  for (const char* other : {"arm", "amd64", "s390x", "riscv64", "nosuch", ""})
    CHECK(find_interpreter(scratch.path(), other).state == State::kNone);
}

TEST_CASE("a big-endian machine's header is compared in its own order") {
  const test::Scratch scratch;
  scratch.make_file("status", "enabled\n");
  scratch.make_file("qemu-s390x",
                    "enabled\ninterpreter /q\nflags: F\noffset 0\n"
                    "magic 7f454c4602020100000000000000000000020016\n"
                    "mask ffffffffffffff00fffffffffffffffffffeffff\n");
  CHECK(find_interpreter(scratch.path(), "s390x").state == State::kReady);
  CHECK(find_interpreter(scratch.path(), "ppc64").state == State::kNone);
}

TEST_CASE("an interpreter without flag F would have to be in the container") {
  const test::Scratch scratch;
  scratch.make_file("status", "enabled\n");
  scratch.make_file("a", arm64_entry("enabled", "OC"));
  CHECK(find_interpreter(scratch.path(), "arm64").state == State::kInContainer);
  scratch.make_file("b", arm64_entry("enabled", "F"));
  CHECK(find_interpreter(scratch.path(), "arm64").state == State::kReady);
}

TEST_CASE("what is disabled, or not there, runs nothing") {
  const test::Scratch scratch;
  CHECK(find_interpreter(scratch.path("nosuch"), "arm64").state == State::kNone);
  scratch.make_file("status", "enabled\n");
  scratch.make_file("entry", arm64_entry("disabled", "F"));
  CHECK(find_interpreter(scratch.path(), "arm64").state == State::kNone);
  scratch.make_file("other", arm64_entry("enabled", "F"));
  scratch.make_file("status", "disabled\n");
  CHECK(find_interpreter(scratch.path(), "arm64").state == State::kNone);
}

TEST_CASE("an entry that looks beyond a program's header takes no program") {
  const test::Scratch scratch;
  scratch.make_file("status", "enabled\n");
  scratch.make_file("long", "enabled\ninterpreter /q\nflags: F\noffset 16\nmagic 0200b70001000000\n");
  scratch.make_file("far", "enabled\ninterpreter /q\nflags: F\noffset 4096\nmagic 00\n");
  CHECK(find_interpreter(scratch.path(), "arm64").state == State::kNone);
}

TEST_CASE("an image for another system is refused, one that does not say is not") {
  CHECK_THROWS_WITH(check_runs_here(config_for("windows", "amd64"), "web"),
                    Catch::Contains("cannot run web: it is for windows/amd64"));
  CHECK_NOTHROW(check_runs_here(config_for("", ""), "web"));
  CHECK_NOTHROW(check_runs_here(config_for("linux", ""), "web"));
  CHECK_THROWS_AS(check_runs_in_vm(config_for("linux", "sparc64"), "web"), base::Error);
}
