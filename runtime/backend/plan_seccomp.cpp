#include <cerrno>

#include "base/error.h"
#include "runtime/backend/plan.h"
#include "seccomp_names.h"

namespace trine::runtime::backend {
namespace {

using isolation::SeccompAction;

/// What an action that returns a value returns. `field` is the value's.
std::uint16_t errno_value(SeccompAction action, const std::optional<std::uint32_t>& value,
                          const std::string& field) {
  constexpr std::uint32_t kMaxErrno = 4095;        // MAX_ERRNO of the kernel
  constexpr std::uint32_t kMaxTrace = UINT16_MAX;  // SECCOMP_RET_DATA
  if (!value)
    return EPERM;
  if (action != SeccompAction::kErrno && action != SeccompAction::kTrace)
    throw base::Error(field + " is given for an action that returns none", 0,
                      "it is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE");
  const std::uint32_t max = action == SeccompAction::kErrno ? kMaxErrno : kMaxTrace;
  if (*value > max)
    throw base::Error(field + " must be at most " + std::to_string(max));
  return static_cast<std::uint16_t>(*value);
}

isolation::SeccompRule make_rule(const oci::SeccompSyscall& rule, const std::string& field) {
  isolation::SeccompRule made;
  made.syscalls = rule.names;
  made.action = look_up(kSeccompActions, rule.action, field + ".action");
  made.errno_value = errno_value(made.action, rule.errno_ret, field + ".errnoRet");
  for (const auto& argument : rule.args) {
    made.arguments.push_back({.index = argument.index,
                              .value = argument.value,
                              .value_two = argument.value_two,
                              .compare = look_up(kSeccompOperators, argument.op, field + ".args[].op")});
  }
  return made;
}

}  // namespace

isolation::SeccompProfile make_seccomp_profile(const oci::Seccomp& seccomp) {
  isolation::SeccompProfile profile;
  profile.default_action = look_up(kSeccompActions, seccomp.default_action, "seccomp.defaultAction");
  profile.default_errno =
      errno_value(profile.default_action, seccomp.default_errno_ret, "seccomp.defaultErrnoRet");
  for (const auto& name : seccomp.architectures) {
    const std::uint32_t architecture = look_up(kSeccompArchitectures, name, "seccomp.architectures");
    if (architecture != kNoArchitecture)
      profile.architectures.push_back(architecture);
  }
  for (const auto& name : seccomp.flags)
    profile.flags |= look_up(kSeccompFlags, name, "seccomp.flags");
  for (std::size_t i = 0; i < seccomp.syscalls.size(); ++i)
    profile.rules.push_back(make_rule(seccomp.syscalls[i], "seccomp.syscalls[" + std::to_string(i) + "]"));
  profile.listener_path = seccomp.listener_path;
  profile.listener_metadata = seccomp.listener_metadata;
  if (!profile.listener_metadata.empty() && profile.listener_path.empty())
    throw base::Error("seccomp.listenerMetadata is given without a listenerPath");
  if (profile.notifies() && profile.listener_path.empty())
    throw base::Error("seccomp has SCMP_ACT_NOTIFY and no listenerPath: nobody would answer", 0,
                      "give it the socket of the program that does");
  return profile;
}

}  // namespace trine::runtime::backend
