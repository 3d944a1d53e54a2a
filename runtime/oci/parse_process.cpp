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

}  // namespace

Process read_process(const Reader& reader) {
  for (const char* name : {"apparmorProfile", "selinuxLabel", "scheduler", "ioPriority", "execCPUAffinity"})
    refuse_unsupported(reader, name);
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
  return process;
}

}  // namespace trine::runtime::oci
