// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "Cpuset". An empty set means the parent's.
#include "../controllers.h"
#include "base/text.h"

namespace trine::cgroups::v2 {

void apply_cpuset(const Directory& directory, const Limits& limits) {
  if (limits.cpuset_cpus)
    directory.write("cpuset.cpus", *limits.cpuset_cpus, "cpuset CPUs");
  if (limits.cpuset_mems)
    directory.write("cpuset.mems", *limits.cpuset_mems, "cpuset memory nodes");
}

void detail_cpuset(const Directory& directory, Details& details) {
  details.cpuset.cpus = base::trim(directory.read("cpuset.cpus.effective").value_or(""));
  details.cpuset.mems = base::trim(directory.read("cpuset.mems.effective").value_or(""));
}

}  // namespace trine::cgroups::v2
