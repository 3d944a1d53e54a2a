#include "base/error.h"
#include "base/log.h"
#include "isolation/capabilities.h"
#include "isolation/id_list.h"
#include "isolation/rlimits.h"
#include "process_names.h"
#include "runtime/backend/plan.h"

namespace trine::runtime::backend {
namespace {

isolation::Capabilities capabilities(const std::optional<oci::Capabilities>& sets) {
  if (!sets)
    return {};
  return {.bounding = capability_mask(sets->bounding),
          .effective = capability_mask(sets->effective),
          .inheritable = capability_mask(sets->inheritable),
          .permitted = capability_mask(sets->permitted),
          .ambient = capability_mask(sets->ambient)};
}

std::vector<isolation::Rlimit> rlimits(const std::vector<oci::Rlimit>& entries) {
  std::vector<isolation::Rlimit> result;
  for (const auto& entry : entries) {
    const auto resource = isolation::parse_rlimit_name(entry.type);
    if (!resource || !entry.type.starts_with("RLIMIT_")) {
      throw base::Error("config.json: process.rlimits has an unknown type '" + entry.type + "'");
    }
    result.push_back({.resource = *resource, .soft = entry.soft, .hard = entry.hard});
  }
  return result;
}

template <typename Table>
auto look_up_flags(const Table& table, const std::vector<std::string>& names, const std::string& field) {
  decltype(table.front().value) flags{};
  for (const auto& name : names)
    flags |= look_up(table, name, field);
  return flags;
}

std::optional<isolation::Scheduler> scheduler(const std::optional<oci::Scheduler>& from) {
  if (!from)
    return std::nullopt;
  const std::string field = "config.json: process.scheduler.";
  return isolation::Scheduler{.policy = look_up(kSchedulerPolicies, from->policy, field + "policy"),
                              .nice = from->nice,
                              .priority = static_cast<std::uint32_t>(from->priority),
                              .flags = look_up_flags(kSchedulerFlags, from->flags, field + "flags"),
                              .runtime = from->runtime,
                              .deadline = from->deadline,
                              .period = from->period};
}

std::optional<isolation::IoPriority> io_priority(const std::optional<oci::IoPriority>& from) {
  if (!from)
    return std::nullopt;
  return isolation::IoPriority{
      .io_class = look_up(kIoClasses, from->io_class, "config.json: process.ioPriority.class"),
      .level = static_cast<unsigned>(from->priority)};
}

std::vector<unsigned> id_list(const std::string& text, unsigned max, const std::string& field) {
  auto ids = isolation::parse_id_list(text, max);
  if (!ids)
    throw base::Error(field + " '" + text + "' is no list", 0,
                      "as \"0-3,7\", with numbers up to " + std::to_string(max));
  return std::move(*ids);
}

std::vector<unsigned> cpus(const std::string& text, const std::string& name) {
  return id_list(text, isolation::kMaxCpu, "config.json: process.execCPUAffinity." + name);
}

std::optional<unsigned long> personality(const std::optional<oci::Personality>& from) {
  if (!from)
    return std::nullopt;
  if (!from->flags.empty())
    throw base::Error("config.json: linux.personality.flags '" + from->flags.front() + "' is unknown", 0,
                      "the specification has no flags yet");
  return look_up(kExecutionDomains, from->domain, "config.json: linux.personality.domain");
}

std::optional<isolation::MemoryPolicy> memory_policy(const std::optional<oci::MemoryPolicy>& from) {
  if (!from)
    return std::nullopt;
  const std::string field = "config.json: linux.memoryPolicy.";
  return isolation::MemoryPolicy{.mode = look_up(kMemoryModes, from->mode, field + "mode") |
                                         look_up_flags(kMemoryFlags, from->flags, field + "flags"),
                                 .nodes = id_list(from->nodes, isolation::kMaxNode, field + "nodes")};
}

}  // namespace

std::uint64_t capability_mask(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const auto& name : names) {
    const auto number = isolation::parse_capability(name);
    if (!number || (isolation::all_capabilities() & isolation::capability_bit(*number)) == 0) {
      base::print_warning("the capability " + name + " is unknown to this kernel and left out");
      continue;
    }
    mask |= isolation::capability_bit(*number);
  }
  return mask;
}

isolation::Process make_process(const oci::Process& from, const oci::Linux& container) {
  isolation::Process result;
  result.args = from.args;
  result.env = from.env;
  result.cwd = from.cwd;
  result.user.uid = from.user.uid;
  result.user.gid = from.user.gid;
  result.user.additional_gids.assign(from.user.additional_gids.begin(), from.user.additional_gids.end());
  if (from.user.umask)
    result.user.umask = static_cast<mode_t>(*from.user.umask & 0777);
  result.capabilities = capabilities(from.capabilities);
  result.rlimits = rlimits(from.rlimits);
  result.no_new_privileges = from.no_new_privileges;
  result.terminal = from.terminal;
  if (from.console_size) {
    result.window_size =
        isolation::WindowSize{.rows = static_cast<unsigned short>(from.console_size->height),
                              .columns = static_cast<unsigned short>(from.console_size->width)};
  }
  result.oom_score_adj = from.oom_score_adj;
  result.apparmor_profile = from.apparmor_profile;
  result.selinux_label = from.selinux_label;
  result.scheduler = scheduler(from.scheduler);
  result.io_priority = io_priority(from.io_priority);
  if (from.exec_cpu_affinity) {
    result.initial_cpus = cpus(from.exec_cpu_affinity->initial_cpus, "initial");
    result.final_cpus = cpus(from.exec_cpu_affinity->final_cpus, "final");
  }
  result.personality = personality(container.personality);
  result.memory_policy = memory_policy(container.memory_policy);
  return result;
}

}  // namespace trine::runtime::backend
