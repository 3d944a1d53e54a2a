#include "monitor/machine.h"

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

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
