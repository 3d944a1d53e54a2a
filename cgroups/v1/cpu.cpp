// Source: Linux Documentation/scheduler/sched-bwc.rst, sched-design-CFS.rst, sched-rt-group.rst.
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v1 {
namespace {

constexpr std::uint64_t kNanosecondsPerMicrosecond = 1'000;

void apply_bandwidth(const Directory& directory, const Limits& limits) {
  if (limits.cpu) {
    // The period first: the quota is checked against it.
    directory.write("cpu.cfs_period_us", std::to_string(limits.cpu->period_us), "CPU quota");
    directory.write("cpu.cfs_quota_us", std::to_string(limits.cpu->quota_us), "CPU quota");
  }
  // The burst after the quota, which bounds it.
  if (limits.cpu_burst_us) {
    directory.write("cpu.cfs_burst_us", std::to_string(*limits.cpu_burst_us), "CPU burst");
  }
}

}  // namespace

void apply_cpu(const Directory& directory, const Limits& limits) {
  if (limits.cpu_shares) {
    directory.write("cpu.shares", std::to_string(*limits.cpu_shares), "CPU shares");
  }
  apply_bandwidth(directory, limits);
  if (limits.cpu_realtime) {
    directory.write("cpu.rt_period_us", std::to_string(limits.cpu_realtime->period_us), "realtime CPU");
    directory.write("cpu.rt_runtime_us", std::to_string(limits.cpu_realtime->quota_us), "realtime CPU");
  }
  // An idle group takes no shares any more, so this comes last.
  if (limits.cpu_idle)
    directory.write("cpu.idle", std::to_string(*limits.cpu_idle), "CPU idle");
}

void read_cpu(const Directory& directory, Stats& stats) {
  if (const auto nanoseconds = directory.read_number("cpuacct.usage")) {
    stats.cpu_usage_us = *nanoseconds / kNanosecondsPerMicrosecond;
  }
}

}  // namespace trine::cgroups::v1
