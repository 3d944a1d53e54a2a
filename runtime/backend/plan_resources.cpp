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
  // A node that is asked for may be used, unless the rules tell otherwise: "deny all", with which engines
  // begin them, is about those, too.
  for (const auto& device : devices) {
    if (device.type == "p")
      continue;
    rules.push_back({.allow = true,
                     .type = device.type == "b" ? 'b' : 'c',
                     .major = device_number(device.major),
                     .minor = device_number(device.minor),
                     .access = "rwm"});
  }
  for (const auto& rule : resources.devices) {
    if (!rule.allow && rule.type == "a") {
      rules.clear();  // the list begins there anyway
      continue;
    }
    const bool whole = rule.access.empty() || rule.access.find('a') != std::string::npos;
    rules.push_back({.allow = rule.allow,
                     .type = rule.type.front(),
                     .major = device_number(rule.major),
                     .minor = device_number(rule.minor),
                     .access = whole ? "rwm" : rule.access});
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
  limits.cpu_shares = unless_zero(cpu.shares);
  // What is not given stays as it is: an update may change one of the two, and takes the quota away with 0.
  const bool takes_away = cpu.quota == 0 && !cpu.period;
  if (unless_zero(cpu.quota) || unless_zero(cpu.period) || takes_away) {
    limits.cpu =
        cgroups::CpuQuota{.quota_us = cpu.quota == 0 ? -1 : cpu.quota, .period_us = unless_zero(cpu.period)};
  }
  if (unless_zero(cpu.realtime_runtime) || unless_zero(cpu.realtime_period)) {
    limits.cpu_realtime =
        cgroups::CpuQuota{.quota_us = cpu.realtime_runtime, .period_us = unless_zero(cpu.realtime_period)};
  }
  limits.cpu_burst_us = cpu.burst;
  limits.cpu_idle = cpu.idle;
  if (cpu.cpus && !cpu.cpus->empty())
    limits.cpuset_cpus = cpu.cpus;
  if (cpu.mems && !cpu.mems->empty())
    limits.cpuset_mems = cpu.mems;
}

void add_memory(const oci::Memory& memory, cgroups::Limits& limits) {
  limits.memory_bytes = unless_zero(memory.limit);
  limits.memory_swap_bytes = unless_zero(memory.swap);
  limits.memory_reservation_bytes = unless_zero(memory.reservation);
  limits.memory_kernel_tcp_bytes = unless_zero(memory.kernel_tcp);
  limits.memory_swappiness = memory.swappiness;
  limits.disable_oom_killer = memory.disable_oom_killer.value_or(false);
  limits.memory_check_before_update = memory.check_before_update;
}

void add_io(const oci::BlockIo& io, cgroups::Limits& limits) {
  limits.io_weight = unless_zero(io.weight);
  limits.io_leaf_weight = unless_zero(io.leaf_weight);
  for (const auto& entry : io.weight_device) {
    const auto major = static_cast<std::uint32_t>(entry.major);
    const auto minor = static_cast<std::uint32_t>(entry.minor);
    if (entry.weight)
      limits.io_weight_device.push_back({major, minor, *entry.weight});
    if (entry.leaf_weight)
      limits.io_leaf_weight_device.push_back({major, minor, *entry.leaf_weight});
  }
  limits.io_read_bps = io_limits(io.read_bps);
  limits.io_write_bps = io_limits(io.write_bps);
  limits.io_read_iops = io_limits(io.read_iops);
  limits.io_write_iops = io_limits(io.write_iops);
}

}  // namespace

cgroups::Limits make_limits(const oci::Resources& resources, const std::vector<oci::Device>& devices) {
  cgroups::Limits limits;
  add_memory(resources.memory, limits);
  add_cpu(resources.cpu, limits);
  limits.pids_max = resources.pids_limit;
  add_io(resources.block_io, limits);
  for (const auto& entry : resources.hugepage_limits) {
    limits.hugepages.push_back({.page_size = entry.page_size, .bytes = entry.limit});
  }
  for (const auto& [device, rdma] : resources.rdma)
    limits.rdma[device] = {.hca_handles = rdma.hca_handles, .hca_objects = rdma.hca_objects};
  limits.network_class = resources.network.class_id;
  for (const auto& entry : resources.network.priorities)
    limits.network_priorities[entry.name] = entry.priority;
  limits.unified = resources.unified;
  limits.devices = device_rules(resources, devices);
  return limits;
}

}  // namespace trine::runtime::backend
