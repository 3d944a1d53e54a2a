#include "seccomp_optimize.h"

#include <catch2/catch.hpp>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "isolation/capabilities.h"
#include "isolation/seccomp.h"

using namespace trine::isolation;

namespace {

using Program = std::vector<sock_filter>;

/// What the kernel would do, for the instructions that filters here have.
std::uint32_t interpret(const Program& program, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& now = program[at];
    switch (now.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + now.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= now.k;
        break;
      case BPF_JMP | BPF_JA:
        at += now.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += a > now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= now.k ? now.jt : now.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & now.k) != 0 ? now.jt : now.jf;
        break;
      case BPF_RET | BPF_K:
        return now.k;
      default:
        FAIL("instruction " << now.code);
    }
  }
  FAIL("the program has no end");
  return 0;
}

constexpr std::array<std::uint32_t, 5> kArchitectures{AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                                      AUDIT_ARCH_ARM, 12345};

/// Every number that exists, of x32 too, and the ends, each with arguments that rules look at and others.
void require_same(const Program& one, const Program& other) {
  std::mt19937_64 random(1);
  const std::array<std::uint64_t, 9> values{0,       1,          8,          40,        0x20000,
                                            0x20008, 0xffffffff, 0x7e020000, 1ULL << 33};
  const auto compare = [&](std::uint32_t architecture, std::uint32_t number) {
    seccomp_data data{
        .nr = static_cast<int>(number), .arch = architecture, .instruction_pointer = 0, .args = {}};
    for (int round = 0; round < 12; ++round) {
      if (interpret(one, data) != interpret(other, data))
        FAIL("number " << number << " of " << architecture << " with " << data.args[0]);
      for (auto& argument : data.args)
        argument = values[random() % values.size()] + random() % 2;
    }
  };
  for (const auto architecture : kArchitectures) {
    for (std::uint32_t number = 0; number < 700; ++number) {
      for (const std::uint32_t base : {0U, 1U << 30, 1U << 31, 3U << 30})
        compare(architecture, base + number);
    }
    compare(architecture, UINT32_MAX);
  }
}

/// libseccomp's program, as it comes.
Program compile(scmp_filter_ctx context) {
  const int file = ::memfd_create("filter", 0);
  REQUIRE(::seccomp_export_bpf(context, file) == 0);
  Program program(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
  REQUIRE(::pread(file, program.data(), program.size() * sizeof(sock_filter), 0) ==
          static_cast<ssize_t>(program.size() * sizeof(sock_filter)));
  ::close(file);
  ::seccomp_release(context);
  return program;
}

scmp_filter_ctx new_filter(std::uint32_t default_action) {
  const auto context = ::seccomp_init(default_action);
  REQUIRE(context != nullptr);
#if defined(__x86_64__)
  ::seccomp_arch_add(context, SCMP_ARCH_X86);
  ::seccomp_arch_add(context, SCMP_ARCH_X32);
#endif
  return context;
}

Program profile_program(std::uint32_t optimize) {
  const auto context = new_filter(SCMP_ACT_ERRNO(1));
  ::seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
  const auto profile = default_seccomp_profile(kDefaultCapabilities);
  for (const auto& rule : profile.rules) {
    if (rule.action != SeccompAction::kAllow || !rule.arguments.empty())
      continue;
    for (const auto& name : rule.syscalls)
      ::seccomp_rule_add(context, SCMP_ACT_ALLOW, ::seccomp_syscall_resolve_name(name.c_str()), 0);
  }
  ::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, 40));
  for (const std::uint64_t value : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL})
    ::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, value));
  ::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0x7e020000, 0));
  ::seccomp_rule_add(context, SCMP_ACT_ERRNO(7), SCMP_SYS(kcmp), 3, SCMP_A0(SCMP_CMP_GT, 8),
                     SCMP_A1(SCMP_CMP_LE, 40), SCMP_A2(SCMP_CMP_EQ, 1ULL << 33));
  return compile(context);
}

}  // namespace

TEST_CASE("an optimised filter decides as libseccomp's does") {
  for (const std::uint32_t optimize : {1U, 2U}) {
    const Program program = profile_program(optimize);
    const auto better = optimize_seccomp(program);
    REQUIRE(better);
    require_same(program, *better);
  }
}

TEST_CASE("a filter that allows by default is optimised alike") {
  const auto context = new_filter(SCMP_ACT_ALLOW);
  ::seccomp_rule_add(context, SCMP_ACT_ERRNO(38), SCMP_SYS(mount), 0);
  ::seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, 40));
  const Program program = compile(context);
  const auto better = optimize_seccomp(program);
  REQUIRE(better);
  require_same(program, *better);
}

TEST_CASE("the optimised filter of a long allow-list is less than half as long") {
  const Program program = profile_program(2);
  CHECK(optimize_seccomp(program).value().size() < program.size() / 2);
}

TEST_CASE("many conditions on one number keep their meaning") {
  const auto context = new_filter(SCMP_ACT_ERRNO(1));
  for (std::uint64_t value = 0; value < 60; ++value)
    ::seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, value * value));
  const Program program = compile(context);
  if (const auto better = optimize_seccomp(program))  // it may be too long for it
    require_same(program, *better);
}

TEST_CASE("a filter that it does not understand is left alone") {
  constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
  const Program computes{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
                         BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1), BPF_STMT(BPF_RET | BPF_K, 1),
                         BPF_STMT(BPF_RET | BPF_K, 2)};
  CHECK_FALSE(optimize_seccomp(computes));
  const Program endless{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber)};
  CHECK_FALSE(optimize_seccomp(endless));
  CHECK_FALSE(optimize_seccomp({}));
}
