// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "CPU".
#include <string>

#include "../controllers.h"
#include "../convert.h"
#include "../figures.h"

namespace trine::cgroups::v2 {

namespace {

/// "quota period" in one write. What was not given stays: a file with the quota alone keeps its period.
void apply_quota(const Directory& directory, const CpuQuota& cpu) {
  std::string value;
  if (cpu.quota_us) {
    value = number_or_max(*cpu.quota_us);
  } else {
    const auto present = directory.read("cpu.max").value_or("max");
    value = present.substr(0, present.find(' '));
  }
  if (cpu.period_us)
    value += " " + std::to_string(*cpu.period_us);
  directory.write("cpu.max", value, "CPU quota");
}

void apply_bandwidth(const Directory& directory, const Limits& limits) {
  constexpr const char* kBurst = "cpu.max.burst";
  // The burst is at most the quota: before it when both go down, after it when both go up.
  const auto burst = std::to_string(limits.cpu_burst_us.value_or(0));
  const bool written = limits.cpu_burst_us && directory.try_write(kBurst, burst) == 0;
  if (limits.cpu)
    apply_quota(directory, *limits.cpu);
  if (limits.cpu_burst_us && !written)
    directory.write(kBurst, burst, "CPU burst");
}

}  // namespace

void apply_cpu(const Directory& directory, const Limits& limits) {
  if (limits.cpu_realtime)
    throw_v1_only(directory, "realtime CPU", "leave it out: v2 does not share out such time");
  apply_idle_before(directory, limits);
  if (limits.cpu_shares) {
    directory.write("cpu.weight", std::to_string(weight_of_shares(*limits.cpu_shares)), "CPU shares");
  }
  apply_bandwidth(directory, limits);
  apply_idle_after(directory, limits);
}

void read_cpu(const Directory& directory, Stats& stats) {
  if (const auto used = directory.read_keyed("cpu.stat", "usage_usec"))
    stats.cpu_usage_us = used;
}

void detail_cpu(const Directory& directory, Details& details) {
  const auto stat = parse_keyed(directory.read("cpu.stat").value_or(""));
  const auto read = [&stat](const char* key, std::uint64_t unit, std::optional<std::uint64_t>& field) {
    if (const auto found = stat.find(key); found != stat.end())
      field = found->second * unit;
  };
  CpuDetails& cpu = details.cpu;
  read("usage_usec", kNanosecondsPerMicrosecond, cpu.total_ns);
  read("user_usec", kNanosecondsPerMicrosecond, cpu.user_ns);
  read("system_usec", kNanosecondsPerMicrosecond, cpu.kernel_ns);
  read("nr_periods", 1, cpu.periods);
  read("nr_throttled", 1, cpu.throttled_periods);
  read("throttled_usec", kNanosecondsPerMicrosecond, cpu.throttled_ns);
  read("nr_bursts", 1, cpu.bursts);
  read("burst_usec", kNanosecondsPerMicrosecond, cpu.burst_ns);
}

}  // namespace trine::cgroups::v2
