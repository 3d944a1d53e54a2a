#include <nlohmann/json.hpp>
#include <unistd.h>

#include "command.h"
#include "commands.h"
#include "isolation/capabilities.h"
#include "isolation/mount_options.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;

Json hooks() {
  Json names = Json::array();
  for (const auto& stage : oci::kHookStages)
    names.push_back(stage.name);
  return names;
}

Json capabilities() {
  Json names = Json::array();
  for (int number = 0; number < 64; ++number) {
    if ((isolation::all_capabilities() & isolation::capability_bit(number)) != 0)
      names.push_back(isolation::capability_name(number));
  }
  return names;
}

Json enabled(bool is) {
  return {{"enabled", is}};
}

/// Whether this machine's kernel has it: a part that the runtime can use and the kernel lacks is none.
bool exists(const char* path) {
  return ::access(path, F_OK) == 0;
}

}  // namespace

/// The features document. Source: OCI runtime-spec 1.3 features.md and features-linux.md.
int run_features(const Globals&, Arguments arguments) {
  parse("features", {}, std::move(arguments), 0, 0);
  const Json linux_part{
      {"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
      {"capabilities", capabilities()},
      {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", true}}},
      {"seccomp",
       {{"enabled", true},
        {"actions",
         {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
          "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
        {"operators",
         {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
          "SCMP_CMP_NE"}}}},
      {"apparmor", enabled(exists("/sys/kernel/security/apparmor"))},
      {"selinux", enabled(exists("/sys/fs/selinux/enforce"))},
      {"intelRdt", enabled(exists("/sys/fs/resctrl/schemata"))},
      {"mountExtensions", {{"idmap", enabled(true)}}},
      {"netDevices", enabled(true)}};
  const Json document{{"ociVersionMin", "1.0.0"}, {"ociVersionMax", "1.3.0"},
                      {"hooks", hooks()},         {"mountOptions", isolation::mount_option_names()},
                      {"linux", linux_part},      {"annotations", {{"dev.trine.version", TRINE_VERSION}}}};
  print(document.dump(2) + "\n");
  return 0;
}

}  // namespace trine::runtime::oci_cli
