#include "parse.h"

namespace trine::runtime::oci {
namespace {

User read_user(const Reader& reader) {
  User user;
  reader.read("uid", user.uid);
  reader.read("gid", user.gid);
  reader.read("umask", user.umask);
  reader.read("additionalGids", user.additional_gids);
  return user;
}

Capabilities read_capabilities(const Reader& reader) {
  Capabilities capabilities;
  reader.read("bounding", capabilities.bounding);
  reader.read("effective", capabilities.effective);
  reader.read("inheritable", capabilities.inheritable);
  reader.read("permitted", capabilities.permitted);
  reader.read("ambient", capabilities.ambient);
  return capabilities;
}

Scheduler read_scheduler(const Reader& reader) {
  Scheduler scheduler{.policy = reader.required<std::string>("policy")};
  reader.read("nice", scheduler.nice);
  reader.read("priority", scheduler.priority);
  reader.read("flags", scheduler.flags);
  reader.read("runtime", scheduler.runtime);
  reader.read("deadline", scheduler.deadline);
  reader.read("period", scheduler.period);
  return scheduler;
}

IoPriority read_io_priority(const Reader& reader) {
  IoPriority priority{.io_class = reader.required<std::string>("class")};
  reader.read("priority", priority.priority);  // left out by those who write no zeros
  return priority;
}

CpuAffinity read_affinity(const Reader& reader) {
  CpuAffinity affinity;
  reader.read("initial", affinity.initial_cpus);
  reader.read("final", affinity.final_cpus);
  return affinity;
}

}  // namespace

Process read_process(const Reader& reader) {
  Process process;
  reader.read("terminal", process.terminal);
  if (const auto size = reader.field("consoleSize")) {
    process.console_size = {.height = size->required<std::uint32_t>("height"),
                            .width = size->required<std::uint32_t>("width")};
  }
  if (const auto user = reader.field("user"))
    process.user = read_user(*user);
  process.args = reader.required<std::vector<std::string>>("args");
  reader.read("env", process.env);
  process.cwd = reader.required<std::string>("cwd");
  if (const auto found = reader.field("capabilities"))
    process.capabilities = read_capabilities(*found);
  reader.read_each("rlimits", process.rlimits, [](const Reader& entry) {
    return Rlimit{.type = entry.required<std::string>("type"),
                  .soft = entry.required<std::uint64_t>("soft"),
                  .hard = entry.required<std::uint64_t>("hard")};
  });
  reader.read("noNewPrivileges", process.no_new_privileges);
  reader.read("oomScoreAdj", process.oom_score_adj);
  reader.read("apparmorProfile", process.apparmor_profile);
  reader.read("selinuxLabel", process.selinux_label);
  if (const auto found = reader.field("scheduler"))
    process.scheduler = read_scheduler(*found);
  if (const auto found = reader.field("ioPriority"))
    process.io_priority = read_io_priority(*found);
  if (const auto found = reader.field("execCPUAffinity"))
    process.exec_cpu_affinity = read_affinity(*found);
  return process;
}

}  // namespace trine::runtime::oci
