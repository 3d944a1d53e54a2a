// Source: Linux Documentation/admin-guide/cgroup-v1/net_cls.rst and net_prio.rst.
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v1 {

void apply_net_cls(const Directory& directory, const Limits& limits) {
  if (limits.network_class)
    directory.write("net_cls.classid", std::to_string(*limits.network_class), "network class");
}

void apply_net_prio(const Directory& directory, const Limits& limits) {
  // The interfaces are those of the writer's network namespace.
  for (const auto& [interface, priority] : limits.network_priorities) {
    directory.write("net_prio.ifpriomap", interface + " " + std::to_string(priority), "network priority");
  }
}

}  // namespace trine::cgroups::v1
