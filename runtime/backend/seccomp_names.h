#pragma once

#include <linux/seccomp.h>
#include <seccomp.h>

#include <array>
#include <cstdint>

#include "isolation/seccomp.h"
#include "names.h"

/// The words that config.json has for seccomp. Source: OCI runtime-spec 1.3 config-linux.md#seccomp.
namespace trine::runtime::backend {

inline constexpr std::array<Named<isolation::SeccompAction>, 9> kSeccompActions{
    {{"SCMP_ACT_ALLOW", isolation::SeccompAction::kAllow},
     {"SCMP_ACT_ERRNO", isolation::SeccompAction::kErrno},
     {"SCMP_ACT_KILL", isolation::SeccompAction::kKillThread},
     {"SCMP_ACT_KILL_PROCESS", isolation::SeccompAction::kKillProcess},
     {"SCMP_ACT_KILL_THREAD", isolation::SeccompAction::kKillThread},
     {"SCMP_ACT_TRAP", isolation::SeccompAction::kTrap},
     {"SCMP_ACT_TRACE", isolation::SeccompAction::kTrace},
     {"SCMP_ACT_LOG", isolation::SeccompAction::kLog},
     {"SCMP_ACT_NOTIFY", isolation::SeccompAction::kNotify}}};

inline constexpr std::array<Named<isolation::SeccompCompare>, 7> kSeccompOperators{
    {{"SCMP_CMP_EQ", isolation::SeccompCompare::kEqual},
     {"SCMP_CMP_NE", isolation::SeccompCompare::kNotEqual},
     {"SCMP_CMP_LT", isolation::SeccompCompare::kLess},
     {"SCMP_CMP_LE", isolation::SeccompCompare::kLessEqual},
     {"SCMP_CMP_GT", isolation::SeccompCompare::kGreater},
     {"SCMP_CMP_GE", isolation::SeccompCompare::kGreaterEqual},
     {"SCMP_CMP_MASKED_EQ", isolation::SeccompCompare::kMaskedEqual}}};

/// Of an architecture that this libseccomp does not have: no system call of it gets past the filter anyway.
inline constexpr std::uint32_t kNoArchitecture = 0;

inline constexpr std::array<Named<std::uint32_t>, 23> kSeccompArchitectures{
    {{"SCMP_ARCH_X86", SCMP_ARCH_X86},
     {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
     {"SCMP_ARCH_X32", SCMP_ARCH_X32},
     {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
     {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
     {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
     {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
     {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
     {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
     {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
     {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
     {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
     {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
     {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
     {"SCMP_ARCH_S390", SCMP_ARCH_S390},
     {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
     {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
     {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
     {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
     {"SCMP_ARCH_LOONGARCH64", kNoArchitecture},
     {"SCMP_ARCH_M68K", kNoArchitecture},
     {"SCMP_ARCH_SH", kNoArchitecture},
     {"SCMP_ARCH_SHEB", kNoArchitecture}}};

inline constexpr std::array<Named<std::uint32_t>, 4> kSeccompFlags{
    {{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
     {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
     {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
     {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV}}};

}  // namespace trine::runtime::backend
