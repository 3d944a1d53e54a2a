#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "commands.h"
#include "runtime/backend/features.h"
#include "runtime/oci/default_spec.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;
using Text = const std::string&;

struct SpecOptions {
  std::string bundle = ".";
  bool rootless = false;
};
constexpr args::Flag<SpecOptions> kSpecFlags[] = {
    {{"-b,--bundle", "DIR", nullptr, "write it there (default: the working directory)"},
     [](SpecOptions& o, Text v) { o.bundle = v; }},
    {{"--rootless", nullptr, nullptr, "for a container of an unprivileged user"},
     [](SpecOptions& o, Text v) { o.rootless = args::is_on(v); }},
};

Json mapping(std::uint32_t host) {
  return Json::array({{{"containerID", 0}, {"hostID", host}, {"size", 1}}});
}

Json example(bool rootless) {
  oci::Spec spec = oci::default_spec();
  const Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  Json json{{"ociVersion", "1.3.0"}};
  json["process"] = {
      {"terminal", true},
      {"user", {{"uid", 0}, {"gid", 0}}},
      {"args", {"sh"}},
      {"env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
      {"cwd", "/"},
      {"capabilities",
       {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
      {"rlimits", Json::array({{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}})},
      {"noNewPrivileges", true}};
  json["root"] = {{"path", "rootfs"}, {"readonly", true}};
  json["hostname"] = "trine";
  json["mounts"] = Json::array();
  for (auto& mount : spec.mounts) {
    if (rootless && mount.type == "cgroup")
      mount = {mount.destination,
               "none",
               "/sys/fs/cgroup",
               {"rbind", "nosuid", "noexec", "nodev", "relatime", "ro"}};
    if (rootless)
      std::erase(mount.options, "gid=5");
    json["mounts"].push_back({{"destination", mount.destination},
                              {"type", mount.type},
                              {"source", mount.source},
                              {"options", mount.options}});
  }
  Json& part = json["linux"];
  if (rootless) {
    part["uidMappings"] = mapping(::geteuid());
    part["gidMappings"] = mapping(::getegid());
    spec.linux_part.namespaces.push_back({"user", ""});
    std::erase_if(spec.linux_part.namespaces,
                  [](const oci::Namespace& entry) { return entry.type == "network"; });
  } else {
    part["resources"] = {{"devices", Json::array({{{"allow", false}, {"access", "rwm"}}})}};
  }
  for (const auto& entry : spec.linux_part.namespaces)
    part["namespaces"].push_back({{"type", entry.type}});
  part["maskedPaths"] = spec.linux_part.masked_paths;
  part["readonlyPaths"] = spec.linux_part.readonly_paths;
  return json;
}

}  // namespace

FlagTexts spec_flags() {
  return args::flag_texts(kSpecFlags);
}

int run_spec(const Globals&, Arguments arguments) {
  SpecOptions options;
  parse("spec", kSpecFlags, std::move(arguments), options, 0, 0);
  const std::string path = options.bundle + "/config.json";
  if (::access(path.c_str(), F_OK) == 0)
    throw base::Error(path + " exists already", 0, "remove it first: it is not overwritten");
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  base::write_all(file.get(), example(options.rootless).dump(2) + "\n", path);
  return 0;
}

int run_features(const Globals&, Arguments arguments) {
  parse("features", {}, std::move(arguments), 0, 0);
  print(backend::features_json() + "\n");
  return 0;
}

}  // namespace trine::runtime::oci_cli
