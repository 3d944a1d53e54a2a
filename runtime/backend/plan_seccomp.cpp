#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "names.h"
#include "runtime/backend/plan.h"

namespace trine::runtime::backend {
namespace {

using isolation::SeccompAction;
using isolation::SeccompCompare;

constexpr std::array<Named<SeccompAction>, 9> kActions{
    {{"SCMP_ACT_ALLOW", SeccompAction::kAllow},
     {"SCMP_ACT_ERRNO", SeccompAction::kErrno},
     {"SCMP_ACT_KILL", SeccompAction::kKillThread},
     {"SCMP_ACT_KILL_PROCESS", SeccompAction::kKillProcess},
     {"SCMP_ACT_KILL_THREAD", SeccompAction::kKillThread},
     {"SCMP_ACT_TRAP", SeccompAction::kTrap},
     {"SCMP_ACT_TRACE", SeccompAction::kTrace},
     {"SCMP_ACT_LOG", SeccompAction::kLog},
     {"SCMP_ACT_NOTIFY", SeccompAction::kNotify}}};

constexpr std::array<Named<SeccompCompare>, 7> kOperators{
    {{"SCMP_CMP_EQ", SeccompCompare::kEqual},
     {"SCMP_CMP_NE", SeccompCompare::kNotEqual},
     {"SCMP_CMP_LT", SeccompCompare::kLess},
     {"SCMP_CMP_LE", SeccompCompare::kLessEqual},
     {"SCMP_CMP_GT", SeccompCompare::kGreater},
     {"SCMP_CMP_GE", SeccompCompare::kGreaterEqual},
     {"SCMP_CMP_MASKED_EQ", SeccompCompare::kMaskedEqual}}};

constexpr std::array<Named<std::uint32_t>, 15> kArchitectures{{{"SCMP_ARCH_X86", SCMP_ARCH_X86},
                                                               {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
                                                               {"SCMP_ARCH_X32", SCMP_ARCH_X32},
                                                               {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
                                                               {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
                                                               {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
                                                               {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
                                                               {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
                                                               {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
                                                               {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
                                                               {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
                                                               {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
                                                               {"SCMP_ARCH_S390", SCMP_ARCH_S390},
                                                               {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
                                                               {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64}}};

constexpr std::array<Named<std::uint32_t>, 3> kFlags{
    {{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
     {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
     {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW}}};

SeccompAction action(const std::string& name) {
  const SeccompAction found = look_up(kActions, name, "seccomp: the action");
  if (found == SeccompAction::kNotify) {
    throw base::Error("seccomp: SCMP_ACT_NOTIFY is not built into this version of trine");
  }
  return found;
}

std::uint16_t errno_value(const std::optional<std::uint32_t>& value) {
  constexpr std::uint16_t kDefault = 1;  // EPERM
  return value ? static_cast<std::uint16_t>(*value) : kDefault;
}

}  // namespace

isolation::SeccompProfile make_seccomp_profile(const oci::Seccomp& seccomp) {
  isolation::SeccompProfile profile;
  profile.default_action = action(seccomp.default_action);
  profile.default_errno = errno_value(seccomp.default_errno_ret);
  for (const auto& name : seccomp.architectures) {
    profile.architectures.push_back(look_up(kArchitectures, name, "seccomp: the architecture"));
  }
  for (const auto& name : seccomp.flags)
    profile.flags |= look_up(kFlags, name, "seccomp: the flag");
  for (const auto& rule : seccomp.syscalls) {
    isolation::SeccompRule made{.syscalls = rule.names,
                                .action = action(rule.action),
                                .errno_value = errno_value(rule.errno_ret),
                                .arguments = {}};
    for (const auto& argument : rule.args) {
      made.arguments.push_back({.index = argument.index,
                                .value = argument.value,
                                .value_two = argument.value_two,
                                .compare = look_up(kOperators, argument.op, "seccomp: the operator")});
    }
    profile.rules.push_back(std::move(made));
  }
  return profile;
}

}  // namespace trine::runtime::backend
