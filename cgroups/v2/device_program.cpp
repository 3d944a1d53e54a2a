#include "device_program.h"

#include <cerrno>
#include <cstddef>
#include <ranges>
#include <string>

#include "../device_policy.h"
#include "base/error.h"

namespace trine::cgroups::v2 {
namespace {

// Who holds what while the program runs.
constexpr int kResult = BPF_REG_0;
constexpr int kContext = BPF_REG_1;
constexpr int kAccess = BPF_REG_2;  ///< the kinds of access that no rule has decided yet
constexpr int kType = BPF_REG_3;
constexpr int kMajor = BPF_REG_4;
constexpr int kMinor = BPF_REG_5;

constexpr std::size_t kMaximumRules = 2'000;  // keeps every jump within its 16 bits

/// Writes the program from front to back. The rules stand in it last one first, so that the first that
/// decides ends it; both ends are shared, and stand behind the rules.
class Assembler {
 public:
  Assembler() {
    load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
    load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
    load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
    // access_type holds the access in its upper half and the type in its lower.
    emit(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0, 0);
    emit(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 0, 16);
    emit(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff);
  }

  /// Returns false when the rule decides everything: none before it can be reached.
  bool rule(const DeviceRule& rule) {
    const unsigned access = access_bits(rule);
    if (access == 0)
      return true;
    std::vector<std::size_t> mismatches;
    if (rule.type != 'a')
      unless(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, mismatches);
    if (rule.major)
      unless(kMajor, *rule.major, mismatches);
    if (rule.minor)
      unless(kMinor, *rule.minor, mismatches);
    if (access == kAllAccess) {
      jump_to(rule.allow ? to_allow_ : to_deny_, BPF_JMP | BPF_JA, 0, 0);
    } else if (rule.allow) {
      emit(BPF_ALU | BPF_AND | BPF_K, kAccess, 0, 0, static_cast<int>(kAllAccess & ~access));
      jump_to(to_allow_, BPF_JMP32 | BPF_JEQ | BPF_K, kAccess, 0);
    } else {
      jump_to(to_deny_, BPF_JMP32 | BPF_JSET | BPF_K, kAccess, static_cast<int>(access));
    }
    for (const auto at : mismatches)
      land(at);
    return !(access == kAllAccess && mismatches.empty());
  }

  /// The verifier refuses code that cannot be reached, so only the ends that are used are written.
  std::vector<bpf_insn> finish(bool can_fall_through) && {
    if (can_fall_through || !to_deny_.empty())
      end(to_deny_, 0);
    if (!to_allow_.empty())
      end(to_allow_, 1);
    return std::move(code_);
  }

 private:
  void emit(int code, int destination, int source, int offset, int immediate) {
    code_.push_back({.code = static_cast<__u8>(code),
                     .dst_reg = static_cast<__u8>(destination & 0xf),
                     .src_reg = static_cast<__u8>(source & 0xf),
                     .off = static_cast<__s16>(offset),
                     .imm = immediate});
  }
  void load(int destination, std::size_t offset) {
    emit(BPF_LDX | BPF_MEM | BPF_W, destination, kContext, static_cast<int>(offset), 0);
  }
  void unless(int subject, std::uint32_t value, std::vector<std::size_t>& jumps) {
    jump_to(jumps, BPF_JMP32 | BPF_JNE | BPF_K, subject, static_cast<int>(value));
  }
  void jump_to(std::vector<std::size_t>& target, int code, int subject, int value) {
    target.push_back(code_.size());
    emit(code, subject, 0, 0, value);
  }
  void land(std::size_t jump) { code_[jump].off = static_cast<__s16>(code_.size() - jump - 1); }
  void end(const std::vector<std::size_t>& jumps, int result) {
    for (const auto jump : jumps)
      land(jump);
    emit(BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, 0, result);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  std::vector<bpf_insn> code_;
  std::vector<std::size_t> to_allow_;
  std::vector<std::size_t> to_deny_;
};

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  if (rules.size() > kMaximumRules) {
    throw base::Error("there are " + std::to_string(rules.size()) + " device rules, and at most " +
                          std::to_string(kMaximumRules) + " are taken",
                      E2BIG);
  }
  Assembler assembler;
  bool open = true;
  for (const auto& rule : rules | std::views::reverse) {
    open = assembler.rule(rule);
    if (!open)
      break;
  }
  return std::move(assembler).finish(open);
}

}  // namespace trine::cgroups::v2
