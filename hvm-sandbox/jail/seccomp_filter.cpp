#include "jail/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cstddef>

namespace trine::hvm {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr sock_filter load(std::uint32_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}
constexpr sock_filter answer(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
/// Passes over the next `skipped` instructions unless the word is `value`.
constexpr sock_filter unless_equal(std::uint32_t value, std::uint8_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);

/// Both processors are little-endian: the lower half stands first.
constexpr std::uint32_t half_of(unsigned argument, bool high) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + (argument * sizeof(std::uint64_t)) +
                                    (high ? sizeof(std::uint32_t) : 0));
}

void add_checked(std::vector<sock_filter>& program, std::uint32_t number, const ArgumentCheck& check) {
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); };
  const auto mask = [](std::uint32_t bits) { return sock_filter BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits); };
  program.insert(program.end(), {unless_equal(number, 8),  // all that follows
                                 load(half_of(check.argument, false)), mask(low(check.mask)),
                                 unless_equal(low(check.value), 4),  // up to the last
                                 load(half_of(check.argument, true)), mask(high(check.mask)),
                                 unless_equal(high(check.value), 1), answer(SECCOMP_RET_ALLOW),
                                 load(kNumber)});  // for those that follow
}

}  // namespace

std::vector<sock_filter> make_filter(std::span<const AllowedCall> calls) {
  // A number of x32's has a bit more than any in a list.
  std::vector<sock_filter> program{load(offsetof(seccomp_data, arch)), unless_equal(kArchitecture, 1),
                                   BPF_STMT(BPF_JMP | BPF_JA, 1), answer(SECCOMP_RET_KILL_PROCESS),
                                   load(kNumber)};
  for (const AllowedCall& call : calls) {
    if (call.check) {
      add_checked(program, call.number, *call.check);
    } else {
      program.push_back(unless_equal(call.number, 1));
      program.push_back(answer(SECCOMP_RET_ALLOW));
    }
  }
  program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  return program;
}

}  // namespace trine::hvm
