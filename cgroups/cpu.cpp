#include "internal.h"

namespace trine::cgroups {
namespace {

bool wanted(const Limits& limits) {
  return limits.cpu_shares || limits.cpu || limits.cpu_burst_us || limits.cpu_idle || limits.cpu_realtime;
}

void apply_v1(const Directory& directory, const Limits& limits) {
  if (limits.cpu_shares) {
    directory.write("cpu.shares", static_cast<std::int64_t>(*limits.cpu_shares), "the CPU shares");
  }
  if (limits.cpu) {
    directory.write("cpu.cfs_period_us", static_cast<std::int64_t>(limits.cpu->period_us), "the CPU period");
    directory.write("cpu.cfs_quota_us", limits.cpu->quota_us, "the CPU quota");
  }
  if (limits.cpu_burst_us) {
    directory.write("cpu.cfs_burst_us", static_cast<std::int64_t>(*limits.cpu_burst_us), "the CPU burst");
  }
  if (limits.cpu_idle)
    directory.write("cpu.idle", *limits.cpu_idle, "CPU idle");
  if (limits.cpu_realtime) {
    directory.write("cpu.rt_period_us", static_cast<std::int64_t>(limits.cpu_realtime->period_us),
                    "the realtime period");
    directory.write("cpu.rt_runtime_us", limits.cpu_realtime->quota_us, "the realtime quota");
  }
}

/// Shares 2..262144 onto weights 1..10000. Source: OCI runtime-spec, as runc and crun convert.
std::int64_t weight_from_shares(std::uint64_t shares) {
  if (shares == 0)
    return 0;
  return static_cast<std::int64_t>(1 + ((shares - 2) * 9999) / 262142);
}

void apply_v2(const Directory& directory, const Limits& limits) {
  if (limits.cpu_idle)
    directory.write("cpu.idle", *limits.cpu_idle, "CPU idle");
  if (limits.cpu_shares && *limits.cpu_shares > 0) {
    directory.write("cpu.weight", weight_from_shares(*limits.cpu_shares), "the CPU weight");
  }
  if (limits.cpu) {
    const std::string quota = limits.cpu->quota_us < 0 ? "max" : std::to_string(limits.cpu->quota_us);
    directory.write("cpu.max", quota + " " + std::to_string(limits.cpu->period_us), "the CPU quota");
  }
  if (limits.cpu_burst_us) {
    directory.write("cpu.max.burst", static_cast<std::int64_t>(*limits.cpu_burst_us), "the CPU burst");
  }
  if (limits.cpu_realtime)
    directory.write("cpu.rt_runtime_us", limits.cpu_realtime->quota_us, "the realtime quota");
}

}  // namespace

const Controller kCpu{"cpu", "cpu", "CPU time", wanted, apply_v1, apply_v2};

}  // namespace trine::cgroups
