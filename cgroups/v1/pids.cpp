// Source: Linux Documentation/admin-guide/cgroup-v1/pids.rst.
#include "../controllers.h"
#include "../convert.h"

namespace trine::cgroups::v1 {

void apply_pids(const Directory& directory, const Limits& limits) {
  if (limits.pids_max)
    directory.write("pids.max", number_or_max(*limits.pids_max), "number of processes");
}

void read_pids(const Directory& directory, Stats& stats) {
  if (const auto pids = directory.read_number("pids.current"))
    stats.pids = pids;
}

}  // namespace trine::cgroups::v1
