#include "plan_resources.h"

#include <array>
#include <optional>

namespace trine::runtime::backend {
namespace {

struct AllowedDevice {
  std::uint32_t major;
  std::optional<std::uint32_t> minor;
};
/// null, zero, full, random, urandom; tty, ptmx; every pseudo-terminal.
constexpr std::array<AllowedDevice, 8> kAllowed{
    {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, std::nullopt}}};

/// Negative and missing numbers stand for all.
std::optional<std::uint32_t> device_number(const std::optional<std::int64_t>& number) {
  if (!number || *number < 0)
    return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::vector<cgroups::DeviceRule> device_rules(const oci::Resources& resources,
                                              const std::vector<oci::Device>& devices) {
  std::vector<cgroups::DeviceRule> rules;
  for (const auto& rule : resources.devices) {
    // "Deny all" is where the list begins anyway.
    if (!rule.allow && rule.type == "a" && rules.empty())
      continue;
    rules.push_back({.allow = rule.allow,
                     .type = rule.type.front(),
                     .major = device_number(rule.major),
                     .minor = device_number(rule.minor),
                     .access = rule.access.empty() ? "rwm" : rule.access});
  }
  const bool all = !rules.empty() && rules.back().allow && rules.back().type == 'a';
  if (all)
    return rules;
  // A node may be made of any device: it is opening it that is controlled.
  for (const char type : {'c', 'b'}) {
    rules.push_back({.allow = true, .type = type, .major = {}, .minor = {}, .access = "m"});
  }
  for (const auto& [major, minor] : kAllowed) {
    rules.push_back({.allow = true, .type = 'c', .major = major, .minor = minor, .access = "rwm"});
  }
  for (const auto& device : devices) {
    if (device.type == "p")
      continue;
    rules.push_back({.allow = true,
                     .type = device.type == "b" ? 'b' : 'c',
                     .major = device_number(device.major),
                     .minor = device_number(device.minor),
                     .access = "rwm"});
  }
  return rules;
}

std::vector<cgroups::IoDeviceLimit> io_limits(const std::vector<oci::ThrottleDevice>& entries) {
  std::vector<cgroups::IoDeviceLimit> result;
  result.reserve(entries.size());
  for (const auto& entry : entries) {
    result.push_back(
        {static_cast<std::uint32_t>(entry.major), static_cast<std::uint32_t>(entry.minor), entry.rate});
  }
  return result;
}

/// Engines write 0 for a limit that nobody asked for.
template <typename Number>
std::optional<Number> unless_zero(std::optional<Number> value) {
  return value == Number{0} ? std::nullopt : value;
}

void add_cpu(const oci::Cpu& cpu, cgroups::Limits& limits) {
  constexpr std::uint64_t kDefaultPeriod = 100'000;
  constexpr std::uint64_t kDefaultRealtimePeriod = 1'000'000;
  limits.cpu_shares = unless_zero(cpu.shares);
  if (unless_zero(cpu.quota) || unless_zero(cpu.period)) {
    limits.cpu = cgroups::CpuQuota{.quota_us = unless_zero(cpu.quota).value_or(-1),
                                   .period_us = unless_zero(cpu.period).value_or(kDefaultPeriod)};
  }
  if (unless_zero(cpu.realtime_runtime) || unless_zero(cpu.realtime_period)) {
    limits.cpu_realtime =
        cgroups::CpuQuota{.quota_us = cpu.realtime_runtime.value_or(0),
                          .period_us = unless_zero(cpu.realtime_period).value_or(kDefaultRealtimePeriod)};
  }
  limits.cpu_burst_us = cpu.burst;
  limits.cpu_idle = cpu.idle;
  if (cpu.cpus && !cpu.cpus->empty())
    limits.cpuset_cpus = cpu.cpus;
  if (cpu.mems && !cpu.mems->empty())
    limits.cpuset_mems = cpu.mems;
}

}  // namespace

cgroups::Limits make_limits(const oci::Resources& resources, const std::vector<oci::Device>& devices) {
  cgroups::Limits limits;
  limits.memory_bytes = unless_zero(resources.memory.limit);
  limits.memory_swap_bytes = unless_zero(resources.memory.swap);
  limits.memory_reservation_bytes = unless_zero(resources.memory.reservation);
  limits.memory_swappiness = resources.memory.swappiness;
  limits.disable_oom_killer = resources.memory.disable_oom_killer.value_or(false);
  add_cpu(resources.cpu, limits);
  limits.pids_max = resources.pids_limit;
  limits.io_weight = unless_zero(resources.block_io.weight);
  limits.io_weight_device = io_limits(resources.block_io.weight_device);
  limits.io_read_bps = io_limits(resources.block_io.read_bps);
  limits.io_write_bps = io_limits(resources.block_io.write_bps);
  limits.io_read_iops = io_limits(resources.block_io.read_iops);
  limits.io_write_iops = io_limits(resources.block_io.write_iops);
  for (const auto& entry : resources.hugepage_limits) {
    limits.hugepages.push_back({.page_size = entry.page_size, .bytes = entry.limit});
  }
  limits.unified = resources.unified;
  limits.devices = device_rules(resources, devices);
  return limits;
}

}  // namespace trine::runtime::backend
