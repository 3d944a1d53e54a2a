// Source: Linux Documentation/admin-guide/cgroup-v1/pids.rst and cgroup-v2.rst, "PID".
#include "controllers.h"
#include "convert.h"

namespace trine::cgroups {

void apply_pids(const Directory& directory, const Limits& limits) {
  if (limits.pids_max)
    directory.write("pids.max", number_or_max(*limits.pids_max), "number of processes");
}

void read_pids(const Directory& directory, Stats& stats) {
  if (const auto pids = directory.read_number("pids.current"))
    stats.pids = pids;
}

void detail_pids(const Directory& directory, Details& details) {
  details.pids.current = directory.read_number("pids.current");
  details.pids.limit = directory.read_number("pids.max");
}

}  // namespace trine::cgroups
