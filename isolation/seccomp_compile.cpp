#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "isolation/seccomp.h"
#include "seccomp_optimize.h"

namespace trine::isolation {
namespace {

struct Release {
  void operator()(scmp_filter_ctx context) const { ::seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

[[noreturn]] void fail(int error, const std::string& what) {
  throw base::Error("cannot compile the seccomp profile: " + what, -error);
}

void check(int result, const std::string& what) {
  if (result < 0)
    fail(result, what);
}

std::uint32_t to_kernel(SeccompAction action, std::uint16_t errno_value) {
  switch (action) {
    case SeccompAction::kAllow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::kErrno:
      return SCMP_ACT_ERRNO(errno_value);
    case SeccompAction::kKillProcess:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::kKillThread:
      return SCMP_ACT_KILL_THREAD;
    case SeccompAction::kTrap:
      return SCMP_ACT_TRAP;
    case SeccompAction::kTrace:
      return SCMP_ACT_TRACE(errno_value);
    case SeccompAction::kLog:
      return SCMP_ACT_LOG;
    case SeccompAction::kNotify:
      return SCMP_ACT_NOTIFY;
  }
  return SCMP_ACT_KILL_PROCESS;
}

scmp_arg_cmp to_kernel(const SeccompArgument& argument) {
  constexpr std::array kOperators{SCMP_CMP_EQ, SCMP_CMP_NE, SCMP_CMP_LT,       SCMP_CMP_LE,
                                  SCMP_CMP_GT, SCMP_CMP_GE, SCMP_CMP_MASKED_EQ};
  const auto compare = kOperators[static_cast<std::size_t>(argument.compare)];
  return {.arg = argument.index, .op = compare, .datum_a = argument.value, .datum_b = argument.value_two};
}

/// A rule's conditions must all hold. As in Docker's profiles, several conditions on one argument are
/// alternatives: libseccomp takes one a rule, so they become rules of their own.
std::vector<std::vector<scmp_arg_cmp>> alternatives(const std::vector<SeccompArgument>& arguments) {
  std::array<int, 6> uses{};
  for (const auto& argument : arguments)
    ++uses[argument.index % 6];
  std::vector<std::vector<scmp_arg_cmp>> result;
  if (std::ranges::any_of(uses, [](int count) { return count > 1; })) {
    for (const auto& argument : arguments)
      result.push_back({to_kernel(argument)});
    return result;
  }
  result.emplace_back();
  for (const auto& argument : arguments)
    result.front().push_back(to_kernel(argument));
  return result;
}

void add_rule(scmp_filter_ctx context, const SeccompRule& rule, std::uint32_t default_action) {
  const std::uint32_t action = to_kernel(rule.action, rule.errno_value);
  if (action == default_action)
    return;  // libseccomp refuses a rule that says nothing new
  const auto conditions = alternatives(rule.arguments);
  for (const auto& name : rule.syscalls) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR)
      continue;  // newer than this libseccomp: not allowed, then
    for (const auto& condition : conditions) {
      const int result = ::seccomp_rule_add_array(context, action, number,
                                                  static_cast<unsigned>(condition.size()), condition.data());
      // A syscall that one of the architectures lacks is no harm.
      if (result < 0 && result != -EDOM)
        fail(result, "the rule for " + name);
    }
  }
}

Filter build(const SeccompProfile& profile) {
  const std::uint32_t default_action = to_kernel(profile.default_action, profile.default_errno);
  Filter filter(::seccomp_init(default_action));
  if (!filter)
    fail(-EINVAL, "its default action");
  for (const std::uint32_t architecture : profile.architectures) {
    const int result = ::seccomp_arch_add(filter.get(), architecture);
    // One of the other byte order, which this machine cannot run: all its system calls are refused anyway.
    if (result != -EEXIST && result != -EDOM)
      check(result, "an architecture");
  }
  check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0), "no_new_privs");
  // A binary tree: the kernel walks the filter for every syscall number when it is loaded.
  check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimising it");
  for (const auto& rule : profile.rules)
    add_rule(filter.get(), rule, default_action);
  return filter;
}

std::string export_program(scmp_filter_ctx context) {
  const base::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file)
    base::throw_errno("cannot compile the seccomp profile");
  check(::seccomp_export_bpf(context, file.get()), "writing it out");
  if (::lseek(file.get(), 0, SEEK_SET) != 0)
    base::throw_errno("cannot compile the seccomp profile");
  return base::read_all(file.get(), "the seccomp filter", std::size_t{BPF_MAXINSNS} * sizeof(sock_filter));
}

// --- syscalls that the profile's author cannot have known ---

struct Architecture {
  std::uint32_t audit;        ///< AUDIT_ARCH_… in seccomp_data
  std::uint32_t seccomp;      ///< SCMP_ARCH_…
  std::uint32_t number_base;  ///< x32 numbers carry bit 30
};
constexpr std::array kArchitectures{
    Architecture{AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
    Architecture{AUDIT_ARCH_I386, SCMP_ARCH_X86, 0},
    Architecture{AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0},
    Architecture{AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0},
};
constexpr std::uint32_t kX32Bit = 0x40000000;

bool uses(const SeccompProfile& profile, std::uint32_t architecture) {
  return ::seccomp_arch_native() == architecture ||
         std::ranges::find(profile.architectures, architecture) != profile.architectures.end();
}

/// The highest number that the profile names on an architecture: what is above came after it.
int newest_known(const SeccompProfile& profile, std::uint32_t architecture) {
  int newest = -1;
  for (const auto& rule : profile.rules) {
    for (const auto& name : rule.syscalls) {
      newest = std::max(newest, ::seccomp_syscall_resolve_name_arch(architecture, name.c_str()));
    }
  }
  return newest;
}

/// Instructions that go before libseccomp's. A syscall above the newest known fails with ENOSYS, so that
/// programs try the older one; the rest, x32 included, falls through.
std::string enosys_prefix(const SeccompProfile& profile) {
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  for (const auto& architecture : kArchitectures) {
    if (!uses(profile, architecture.seccomp))
      continue;
    const int newest = newest_known(profile, architecture.seccomp);
    if (newest < 0)
      continue;
    // Another architecture: over the five instructions of this one.
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture.audit, 0, 5));
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 2, 0));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(newest), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    // The next comparison wants the architecture again.
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  }
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

void optimize(std::string& program) {
  std::vector<sock_filter> instructions(program.size() / sizeof(sock_filter));
  std::memcpy(instructions.data(), program.data(), program.size());
  if (const auto better = optimize_seccomp(instructions))
    program.assign(reinterpret_cast<const char*>(better->data()), better->size() * sizeof(sock_filter));
}

bool denies_by_default(const SeccompProfile& profile) {
  return profile.default_action == SeccompAction::kErrno && profile.default_errno != ENOSYS;
}

}  // namespace

bool SeccompProfile::notifies() const {
  const auto asks = [](const SeccompRule& rule) { return rule.action == SeccompAction::kNotify; };
  return default_action == SeccompAction::kNotify || std::ranges::any_of(rules, asks);
}

SeccompFilter compile_seccomp(const SeccompProfile& profile) {
  const Filter filter = build(profile);
  SeccompFilter result{.program = {}, .flags = profile.flags, .notifies = profile.notifies()};
  if (denies_by_default(profile))
    result.program = enosys_prefix(profile);
  result.program += export_program(filter.get());
  optimize(result.program);
  if (result.program.size() / sizeof(sock_filter) > BPF_MAXINSNS) {
    throw base::Error("cannot compile the seccomp profile: it takes more than " +
                      std::to_string(BPF_MAXINSNS) + " instructions");
  }
  return result;
}

}  // namespace trine::isolation
