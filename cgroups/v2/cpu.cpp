// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "CPU".
#include <string>

#include "../controllers.h"
#include "../convert.h"

namespace trine::cgroups::v2 {

void apply_cpu(const Directory& directory, const Limits& limits) {
  if (limits.cpu_realtime)
    throw_v1_only(directory, "realtime CPU", "leave it out: v2 does not share out such time");
  if (limits.cpu_shares) {
    directory.write("cpu.weight", std::to_string(weight_of_shares(*limits.cpu_shares)), "CPU shares");
  }
  if (limits.cpu) {
    directory.write("cpu.max",
                    number_or_max(limits.cpu->quota_us) + " " + std::to_string(limits.cpu->period_us),
                    "CPU quota");
  }
  // The burst after the quota, which bounds it.
  if (limits.cpu_burst_us) {
    directory.write("cpu.max.burst", std::to_string(*limits.cpu_burst_us), "CPU burst");
  }
  // An idle group takes no weight any more, so this comes last.
  if (limits.cpu_idle)
    directory.write("cpu.idle", std::to_string(*limits.cpu_idle), "CPU idle");
}

void read_cpu(const Directory& directory, Stats& stats) {
  if (const auto used = directory.read_keyed("cpu.stat", "usage_usec"))
    stats.cpu_usage_us = used;
}

}  // namespace trine::cgroups::v2
