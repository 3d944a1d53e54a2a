#include "device_program.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

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

/// Devices as a tree: type, major, minors. The empty number (all) sorts first.
using Number = std::optional<std::uint32_t>;
using Devices = std::map<char, std::map<Number, std::vector<Number>>>;

/// Whether one entry of a type's part stands for all its devices.
bool has_all(const std::map<Number, std::vector<Number>>& majors) {
  const auto any = majors.find(std::nullopt);
  return any != majors.end() && std::ranges::find(any->second, Number{}) != any->second.end();
}

/// Writes the program from front to back. The rules stand in it last one first, so that the first that
/// decides ends it; both ends are shared, and stand behind the rules. The verifier refuses code that nothing
/// reaches, and its time, which every start of a container pays, goes with the number of branches.
class Assembler {
 public:
  Assembler() {
    load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
    load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
    load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
    // access_type holds the access in its upper half and the type in its lower.
    emit(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0);
    emit(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 16);
    emit(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0xffff);
  }

  /// Rules that allow, or deny, every access to `devices`. False when these are all devices: no rule before
  /// can be reached.
  bool rules_for_all_access(bool allow, const Devices& devices) {
    Jumps& target = allow ? to_allow_ : to_deny_;
    if (const auto any = devices.find('a'); any != devices.end() && has_all(any->second)) {
      jump(target, BPF_JMP | BPF_JA, 0, 0);
      return false;
    }
    for (const auto& [type, majors] : devices) {
      Jumps other_type;
      unless_type(type, other_type);
      if (has_all(majors)) {
        jump(target, BPF_JMP | BPF_JA, 0, 0);
      } else {
        for (const auto& [major, minors] : majors)
          match_minors(major, minors, target);
      }
      land(other_type);
    }
    return true;
  }

  /// A rule for some kinds of access: those that it allows are decided, and the others are left to the rules
  /// before it.
  void rule_for_some_access(const DeviceRule& rule, unsigned access) {
    Jumps mismatches;
    unless_type(rule.type, mismatches);
    unless(kMajor, rule.major, mismatches);
    unless(kMinor, rule.minor, mismatches);
    if (rule.allow) {
      emit(BPF_ALU | BPF_AND | BPF_K, kAccess, 0, static_cast<int>(kAllAccess & ~access));
      jump(to_allow_, BPF_JMP32 | BPF_JEQ | BPF_K, kAccess, 0);
    } else {
      jump(to_deny_, BPF_JMP32 | BPF_JSET | BPF_K, kAccess, static_cast<int>(access));
    }
    land(mismatches);
  }

  /// `falls_through`: the rules may leave a request undecided, which denies it.
  std::vector<bpf_insn> finish(bool falls_through) && {
    if (falls_through || !to_deny_.empty())
      end(to_deny_, 0);
    if (!to_allow_.empty())
      end(to_allow_, 1);
    return std::move(code_);
  }

 private:
  using Jumps = std::vector<std::size_t>;

  void emit(int code, int destination, int source, int immediate, int offset = 0) {
    code_.push_back({.code = static_cast<__u8>(code),
                     .dst_reg = static_cast<__u8>(destination & 0xf),
                     .src_reg = static_cast<__u8>(source & 0xf),
                     .off = static_cast<__s16>(offset),
                     .imm = immediate});
  }
  void load(int destination, std::size_t offset) {
    emit(BPF_LDX | BPF_MEM | BPF_W, destination, kContext, 0, static_cast<int>(offset));
  }
  void jump(Jumps& target, int code, int subject, std::uint32_t value) {
    target.push_back(code_.size());
    emit(code, subject, 0, static_cast<int>(value));
  }
  void unless(int subject, const Number& number, Jumps& mismatches) {
    if (number)
      jump(mismatches, BPF_JMP32 | BPF_JNE | BPF_K, subject, *number);
  }
  void unless_type(char type, Jumps& mismatches) {
    if (type != 'a')
      unless(kType, type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, mismatches);
  }
  void match_minors(const Number& major, const std::vector<Number>& minors, Jumps& target) {
    if (std::ranges::find(minors, Number{}) != minors.end()) {
      jump(target, BPF_JMP32 | BPF_JEQ | BPF_K, kMajor, *major);
      return;
    }
    Jumps other_major;
    unless(kMajor, major, other_major);
    for (const auto& minor : minors)
      jump(target, BPF_JMP32 | BPF_JEQ | BPF_K, kMinor, *minor);
    land(other_major);
  }
  void land(const Jumps& jumps) {
    for (const auto at : jumps)
      code_[at].off = static_cast<__s16>(code_.size() - at - 1);
  }
  void end(const Jumps& jumps, int result) {
    land(jumps);
    emit(BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, result);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0);
  }

  std::vector<bpf_insn> code_;
  Jumps to_allow_;
  Jumps to_deny_;
};

/// Feeds the rules to the assembler, last one first.
class Compiler {
 public:
  void rule(const DeviceRule& rule) {
    const unsigned access = access_bits(rule);
    if (access == 0)
      return;
    // Neighbours of one kind decide the same in any order, so they are collected and written together.
    if (!run_.empty() && (access != kAllAccess || rule.allow != run_allows_))
      flush();
    if (access == kAllAccess) {
      run_allows_ = rule.allow;
      run_[rule.type][rule.major].push_back(rule.minor);
    } else if (open_) {
      assembler_.rule_for_some_access(rule, access);
    }
  }

  std::vector<bpf_insn> finish() && {
    flush();
    return std::move(assembler_).finish(open_);
  }

 private:
  void flush() {
    if (open_)
      open_ = assembler_.rules_for_all_access(run_allows_, run_);
    run_.clear();
  }

  Assembler assembler_;
  Devices run_;
  bool run_allows_ = false;
  bool open_ = true;
};

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  if (rules.size() > kMaximumRules) {
    throw base::Error("there are " + std::to_string(rules.size()) + " device rules, and at most " +
                          std::to_string(kMaximumRules) + " are taken",
                      E2BIG);
  }
  Compiler compiler;
  for (const auto& rule : rules | std::views::reverse)
    compiler.rule(rule);
  return std::move(compiler).finish();
}

}  // namespace trine::cgroups::v2
