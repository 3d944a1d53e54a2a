// Source: Linux Documentation/scheduler/sched-bwc.rst, sched-design-CFS.rst, sched-rt-group.rst.
#include <cerrno>
#include <string>

#include "../controllers.h"
#include "../figures.h"

namespace trine::cgroups::v1 {
namespace {

/// The kernel checks each write against the group above and the groups below: run time in a period. When the
/// new period does not go with the old quota, the new quota goes with the old period.
void write_quota(const Directory& directory, const CpuQuota& cpu, const char* period_file,
                 const char* quota_file, std::string_view limit) {
  const auto period = std::to_string(cpu.period_us.value_or(0));
  const bool late = cpu.period_us && cpu.quota_us && directory.try_write(period_file, period) == EINVAL;
  if (cpu.period_us && !cpu.quota_us)
    directory.write(period_file, period, limit);
  if (cpu.quota_us)
    directory.write(quota_file, std::to_string(*cpu.quota_us), limit);
  if (late)
    directory.write(period_file, period, limit);
}

void apply_bandwidth(const Directory& directory, const Limits& limits) {
  constexpr const char* kBurst = "cpu.cfs_burst_us";
  // The burst is at most the quota: before it when both go down, after it when both go up.
  const auto burst = std::to_string(limits.cpu_burst_us.value_or(0));
  const bool written = limits.cpu_burst_us && directory.try_write(kBurst, burst) == 0;
  if (limits.cpu)
    write_quota(directory, *limits.cpu, "cpu.cfs_period_us", "cpu.cfs_quota_us", "CPU quota");
  if (limits.cpu_burst_us && !written)
    directory.write(kBurst, burst, "CPU burst");
}

}  // namespace

void apply_cpu(const Directory& directory, const Limits& limits) {
  apply_idle_before(directory, limits);
  if (limits.cpu_shares) {
    directory.write("cpu.shares", std::to_string(*limits.cpu_shares), "CPU shares");
  }
  apply_bandwidth(directory, limits);
  if (limits.cpu_realtime) {
    write_quota(directory, *limits.cpu_realtime, "cpu.rt_period_us", "cpu.rt_runtime_us", "realtime CPU");
  }
  apply_idle_after(directory, limits);
}

void read_cpu(const Directory& directory, Stats& stats) {
  if (const auto nanoseconds = directory.read_number("cpuacct.usage")) {
    stats.cpu_usage_us = *nanoseconds / kNanosecondsPerMicrosecond;
  }
}

void detail_cpu(const Directory& directory, Details& details) {
  const auto stat = parse_keyed(directory.read("cpu.stat").value_or(""));
  const auto read = [&stat](const char* key, std::optional<std::uint64_t>& field) {
    if (const auto found = stat.find(key); found != stat.end())
      field = found->second;
  };
  read("nr_periods", details.cpu.periods);
  read("nr_throttled", details.cpu.throttled_periods);
  read("throttled_time", details.cpu.throttled_ns);
  read("nr_bursts", details.cpu.bursts);
  read("burst_time", details.cpu.burst_ns);
}

void detail_cpuacct(const Directory& directory, Details& details) {
  details.cpu.total_ns = directory.read_number("cpuacct.usage");
  details.cpu.user_ns = directory.read_number("cpuacct.usage_user");
  details.cpu.kernel_ns = directory.read_number("cpuacct.usage_sys");
  const auto each = [&directory](const char* file) {
    return parse_numbers(directory.read(file).value_or(""));
  };
  details.cpu.percpu_ns = each("cpuacct.usage_percpu");
  details.cpu.percpu_user_ns = each("cpuacct.usage_percpu_user");
  details.cpu.percpu_kernel_ns = each("cpuacct.usage_percpu_sys");
}

}  // namespace trine::cgroups::v1
