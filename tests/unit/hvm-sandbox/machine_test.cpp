#include "monitor/machine.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/error.h"
#include "elf_builder.h"

using namespace trine::hvm;

namespace {

trine::base::UniqueFd file_of(const std::string& bytes) {
  trine::base::UniqueFd fd(::memfd_create("file", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return fd;
}

MachinePlan plan_of(const std::string& code, unsigned cpus = 1) {
  MachinePlan plan;
  plan.kernel = file_of(test::ElfFile(code).bytes());
  plan.command_line = "said by the guest\n";
  plan.memory_bytes = kLeastMemory;
  plan.cpus = cpus;
  return plan;
}

/// Runs a few instructions in 32-bit protected mode, as PVH enters a kernel.
struct Run {
  End end;
  std::string console;
};
std::optional<Run> run(MachinePlan plan) {
  if (::access("/dev/kvm", R_OK | W_OK) != 0) {
    std::puts("skipped: there is no /dev/kvm to use");
    return std::nullopt;
  }
  Machine machine(std::move(plan));
  Run result{.end = machine.run()};
  result.console = machine.console().tail(10);
  return result;
}

// mov $0x600, %dx; mov $0x34, %al; out %al, (%dx)
const std::string kPowerOffCode("\x66\xba\x00\x06\xb0\x34\xee", 7);
const std::string kHalt("\xfa\xf4\xeb\xfd", 4);  // cli; hlt; jmp back to hlt

}  // namespace

TEST_CASE("a guest is entered by PVH, prints its command line and powers off") {
  // mov 24(%ebx), %esi; mov $0x3f8, %dx; again: lodsb; test %al, %al; jz +3; out %al, (%dx); jmp again
  const std::string print("\x8b\x73\x18\x66\xba\xf8\x03\xac\x84\xc0\x74\x03\xee\xeb\xf8", 15);
  const auto result = run(plan_of(print + kPowerOffCode + kHalt, 2));
  if (!result)
    return;
  CHECK(result->end.kind == EndKind::kPowerOff);
  CHECK(result->console == "said by the guest");
}

TEST_CASE("a guest's reset ends its machine") {
  const std::string reset("\x66\xba\x02\x06\xb0\x52\xee", 7);
  const auto result = run(plan_of(reset + kHalt));
  if (result)
    CHECK(result->end.kind == EndKind::kReset);
}

TEST_CASE("a fault that the guest cannot handle ends its machine with the reason") {
  const auto result = run(plan_of(std::string("\x0f\x0b", 2)));  // ud2, without an interrupt table
  if (!result)
    return;
  CHECK(result->end.kind == EndKind::kFault);
  CHECK(!result->end.detail.empty());
}

TEST_CASE("a guest that spins, or sleeps for ever, is ended from outside") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  for (const std::string& code : {std::string("\xeb\xfe", 2), kHalt}) {
    Machine machine(plan_of(code, 2));
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      machine.end({.kind = EndKind::kStopped});
    });
    CHECK(machine.run().kind == EndKind::kStopped);
    killer.join();
  }
}

TEST_CASE("a guest finds its devices by their registers, and nothing elsewhere") {
  // mov 0xd0000000, %eax (the magic of the first device); mov $0x3f8, %dx; out %al, (%dx);
  // mov 0xd0ffff00, %eax (nobody there); inc %eax; jnz spin; power off
  const std::string code("\xa1\x00\x00\x00\xd0\x66\xba\xf8\x03\xee\xa1\x00\xff\xff\xd0\x40\x75\xfe", 18);
  const auto result = run(plan_of(code + kPowerOffCode + kHalt));
  if (!result)
    return;
  CHECK(result->end.kind == EndKind::kPowerOff);
  CHECK(result->console == "v");
}

TEST_CASE("a machine whose kernel is none, or does not fit, is not made") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  MachinePlan plan = plan_of(kHalt);
  SECTION("no kernel") {
    plan.kernel = file_of("#!/bin/sh\n");
    CHECK_THROWS_WITH(Machine(std::move(plan)), Catch::Contains("no ELF file"));
  }
  SECTION("an initramfs larger than the memory") {
    plan.initramfs.push_back(file_of(std::string(kLeastMemory, 'x')));
    CHECK_THROWS_WITH(Machine(std::move(plan)), Catch::Contains("do not fit"));
  }
  SECTION("a command line that is too long") {
    plan.command_line = std::string(4096, 'x');
    CHECK_THROWS_WITH(Machine(std::move(plan)), Catch::Contains("at most 2047"));
  }
}

namespace {

/// A machine that runs on a thread of its own, and its caller's end of the channel.
class Channelled {
 public:
  explicit Channelled(MachinePlan plan) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    channel_.reset(ends[0]);
    plan.connections.reset(ends[1]);
    machine_ = std::make_unique<Machine>(std::move(plan));
    thread_ = std::thread([this] { end_ = machine_->run(); });
  }
  ~Channelled() {
    machine_->end({.kind = EndKind::kStopped});
    if (thread_.joinable())
      thread_.join();
  }
  Channelled(const Channelled&) = delete;
  Channelled& operator=(const Channelled&) = delete;

  void say(const std::string& word) {
    REQUIRE(::send(channel_.get(), word.data(), word.size(), 0) == static_cast<ssize_t>(word.size()));
  }
  std::string hear() {
    std::string text(256, '\0');
    const ssize_t got = ::recv(channel_.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  std::string ask(const std::string& word) {
    say(word);
    return hear();
  }
  Machine& machine() { return *machine_; }
  EndKind wait() {
    thread_.join();
    return end_.kind;
  }

 private:
  trine::base::UniqueFd channel_;
  std::unique_ptr<Machine> machine_;
  std::thread thread_;
  End end_;
};

/// Prints to a pipe for ever.
MachinePlan plan_of_talker(int console, unsigned cpus) {
  // mov $0x3f8, %dx; mov $'x', %al; again: out %al, (%dx); jmp again
  MachinePlan plan = plan_of(std::string("\x66\xba\xf8\x03\xb0\x78\xee\xeb\xfd", 9), cpus);
  plan.console.reset(console);
  return plan;
}

}  // namespace

TEST_CASE("a paused machine does nothing until it is resumed") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const trine::base::UniqueFd output(ends[0]);
  Channelled guest(plan_of_talker(ends[1], 2));
  char byte = 0;
  for (int round = 0; round < 20; ++round) {
    REQUIRE(::read(output.get(), &byte, 1) == 1);  // it runs
    REQUIRE(guest.ask("pause") == "ok");
    CHECK(guest.ask("stats").starts_with("ok paused 1"));
    // What was written until the answer came is all.
    std::array<char, 65536> rest;
    REQUIRE(::fcntl(output.get(), F_SETFL, O_NONBLOCK) == 0);
    while (::read(output.get(), rest.data(), rest.size()) > 0) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(::read(output.get(), &byte, 1) < 0);
    REQUIRE(::fcntl(output.get(), F_SETFL, 0) == 0);
    REQUIRE(guest.ask("resume") == "ok");
  }
  CHECK(guest.ask("stats").starts_with("ok paused 0"));
}

TEST_CASE("a machine is paused when it sleeps, twice, and resumed when it is not paused") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  Channelled guest(plan_of(kHalt, 4));
  CHECK(guest.ask("resume") == "ok");
  CHECK(guest.ask("pause") == "ok");
  CHECK(guest.ask("pause") == "ok");
  CHECK(guest.ask("resume") == "ok");
  CHECK(guest.ask("stats").starts_with("ok paused 0"));
}

TEST_CASE("a paused machine is ended from outside") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  Channelled guest(plan_of(kHalt, 2));
  REQUIRE(guest.ask("pause") == "ok");
  guest.machine().end({.kind = EndKind::kStopped});
  CHECK(guest.wait() == EndKind::kStopped);
}

TEST_CASE("a pause that is undone at once leaves the machine running, each word answered") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  Channelled guest(plan_of(std::string("\xeb\xfe", 2), 4));
  for (int round = 0; round < 50; ++round) {
    guest.say("pause");
    guest.say("resume");
    const std::string first = guest.hear();
    CHECK((first == "ok" || first == "error it was resumed"));
    CHECK(guest.hear() == "ok");
  }
  CHECK(guest.ask("stats").starts_with("ok paused 0"));
}

TEST_CASE("a word that a machine does not know changes nothing") {
  if (::access("/dev/kvm", R_OK | W_OK) != 0)
    return;
  Channelled guest(plan_of(kHalt));
  for (const std::string word : {"pauses", "balloon", "balloon x", "balloon -1", "BALLOON 1"})
    CHECK(guest.ask(word).starts_with("error "));
  CHECK(guest.ask(std::string(4096, 'x')).starts_with("error "));
}
