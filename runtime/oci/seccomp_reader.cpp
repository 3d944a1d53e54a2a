#include "seccomp_reader.h"

#include <algorithm>
#include <array>

namespace trine::runtime::oci {
namespace {

SeccompArgument read_argument(const Reader& reader) {
  SeccompArgument argument{.index = reader.required<std::uint32_t>("index"),
                           .value = reader.required<std::uint64_t>("value")};
  if (argument.index > 5)
    reader.fail("has an index above 5: a system call has six arguments");
  reader.read("valueTwo", argument.value_two);
  argument.op = reader.required<std::string>("op");
  return argument;
}

SeccompSyscall read_syscall(const Reader& reader) {
  SeccompSyscall rule;
  reader.read("names", rule.names);
  // Docker's older form.
  std::string name;
  reader.read("name", name);
  if (!name.empty())
    rule.names.push_back(name);
  rule.action = reader.required<std::string>("action");
  reader.read("errnoRet", rule.errno_ret);
  reader.read_each("args", rule.args, read_argument);
  return rule;
}

/// The conditions by which a rule of a Docker profile is in force.
bool applies(const Reader& rule, std::uint64_t capabilities, int (*capability_number)(const std::string&)) {
  constexpr std::string_view kArchitecture =
#if defined(__x86_64__)
      "amd64";
#else
      "arm64";
#endif
  const auto has = [&](const std::string& name) {
    const int number = capability_number(name);
    return number >= 0 && (capabilities >> number & 1) != 0;
  };
  for (const bool include : {true, false}) {
    const auto part = rule.field(include ? "includes" : "excludes");
    if (!part)
      continue;
    std::vector<std::string> caps;
    std::vector<std::string> arches;
    part->read("caps", caps);
    part->read("arches", arches);
    const bool all_caps = std::ranges::all_of(caps, has);
    const bool arch = std::ranges::find(arches, kArchitecture) != arches.end();
    if (include && (!all_caps || (!arches.empty() && !arch)))
      return false;
    if (!include && (std::ranges::any_of(caps, has) || arch))
      return false;
  }
  return true;
}

}  // namespace

Seccomp read_seccomp(const Reader& reader) {
  Seccomp seccomp{.default_action = reader.required<std::string>("defaultAction")};
  reader.read("defaultErrnoRet", seccomp.default_errno_ret);
  reader.read("architectures", seccomp.architectures);
  reader.read("flags", seccomp.flags);
  reader.read("listenerPath", seccomp.listener_path);
  reader.read("listenerMetadata", seccomp.listener_metadata);
  reader.read_each("syscalls", seccomp.syscalls, read_syscall);
  return seccomp;
}

Seccomp parse_seccomp_profile(std::string_view text, std::uint64_t capabilities,
                              int (*capability_number)(const std::string&), std::string_view file) {
  const auto json = parse_json(text, file);
  const std::string name(file);
  const Reader reader(json, name.c_str());
  Seccomp seccomp{.default_action = reader.required<std::string>("defaultAction")};
  reader.read("defaultErrnoRet", seccomp.default_errno_ret);
  reader.read("architectures", seccomp.architectures);
  reader.read_each("archMap", seccomp.architectures,
                   [](const Reader& entry) { return entry.required<std::string>("architecture"); });
  reader.read("flags", seccomp.flags);
  reader.read("listenerPath", seccomp.listener_path);
  reader.read("listenerMetadata", seccomp.listener_metadata);
  if (const auto rules = reader.field("syscalls")) {
    rules->for_each([&](const Reader& rule) {
      if (applies(rule, capabilities, capability_number))
        seccomp.syscalls.push_back(read_syscall(rule));
    });
  }
  return seccomp;
}

}  // namespace trine::runtime::oci
