// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "Cpuset". An empty set means the parent's.
#include "../controllers.h"

namespace trine::cgroups::v2 {

void apply_cpuset(const Directory& directory, const Limits& limits) {
  if (limits.cpuset_cpus)
    directory.write("cpuset.cpus", *limits.cpuset_cpus, "cpuset CPUs");
  if (limits.cpuset_mems)
    directory.write("cpuset.mems", *limits.cpuset_mems, "cpuset memory nodes");
}

}  // namespace trine::cgroups::v2
