#include "runtime/backend/features.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

#include "isolation/capabilities.h"
#include "isolation/mount_options.h"
#include "process_names.h"
#include "runtime/oci/spec.h"
#include "seccomp_names.h"

namespace trine::runtime::backend {
namespace {

using Json = nlohmann::ordered_json;

template <typename Table>
Json names(const Table& table) {
  std::vector<std::string_view> list;
  list.reserve(table.size());
  for (const auto& entry : table)
    list.push_back(entry.name);
  std::ranges::sort(list);
  return list;
}

Json capability_names() {
  Json list = Json::array();
  for (int number = 0; !isolation::capability_name(number).empty(); ++number)
    list.push_back(isolation::capability_name(number));
  return list;
}

Json supported_seccomp_flags() {
  Json list = Json::array();
  for (const auto& [name, flag] : kSeccompFlags) {
    if (isolation::kernel_has_seccomp_flag(flag))
      list.push_back(name);
  }
  return list;
}

Json seccomp() {
  return {{"enabled", true},
          {"actions", names(kSeccompActions)},
          {"operators", names(kSeccompOperators)},
          {"archs", names(kSeccompArchitectures)},
          {"knownFlags", names(kSeccompFlags)},
          {"supportedFlags", supported_seccomp_flags()}};
}

Json linux_part() {
  return {{"namespaces", names(kNamespaceTypes)},
          {"capabilities", capability_names()},
          {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", true}, {"systemdUser", true}, {"rdma", true}}},
          {"seccomp", seccomp()},
          {"apparmor", {{"enabled", true}}},
          {"selinux", {{"enabled", true}}},
          {"intelRdt", {{"enabled", true}, {"schemata", true}, {"monitoring", true}}},
          {"memoryPolicy", {{"modes", names(kMemoryModes)}, {"flags", names(kMemoryFlags)}}},
          {"mountExtensions", {{"idmap", {{"enabled", true}}}}},
          {"netDevices", {{"enabled", true}}}};
}

}  // namespace

std::string features_json() {
  const scmp_version* library = ::seccomp_version();
  const std::string libseccomp = std::to_string(library->major) + "." + std::to_string(library->minor) + "." +
                                 std::to_string(library->micro);
  std::vector<std::string> hooks;
  hooks.reserve(oci::kHookStages.size());
  for (const auto& stage : oci::kHookStages)
    hooks.emplace_back(stage.name);
  const Json document{
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", "1.3.0"},
      {"hooks", hooks},
      {"mountOptions", isolation::mount_option_names()},
      {"linux", linux_part()},
      {"annotations",
       {{"dev.trine.version", TRINE_VERSION}, {"io.github.seccomp.libseccomp.version", libseccomp}}},
      // One asks for another boundary, the others reach systemd as they are.
      {"potentiallyUnsafeConfigAnnotations", {"dev.trine.isolation", "org.systemd.property."}}};
  return document.dump(2);
}

}  // namespace trine::runtime::backend
