#include "controllers.h"

#include <array>
#include <cerrno>

#include "base/error.h"

namespace trine::cgroups {
namespace {

constexpr const char* kCpuIdle = "cpu.idle";

const char* wants_memory(const Limits& limits) {
  if (limits.memory_bytes)
    return "memory";
  if (limits.memory_swap_bytes)
    return "swap";
  if (limits.memory_reservation_bytes)
    return "memory reservation";
  if (limits.memory_kernel_tcp_bytes)
    return "TCP memory";
  if (limits.memory_swappiness)
    return "swappiness";
  return limits.disable_oom_killer ? "OOM killer" : nullptr;
}

const char* wants_cpu(const Limits& limits) {
  if (limits.cpu)
    return "CPU quota";
  if (limits.cpu_shares)
    return "CPU shares";
  if (limits.cpu_burst_us)
    return "CPU burst";
  if (limits.cpu_idle)
    return "CPU idle";
  return limits.cpu_realtime ? "realtime CPU" : nullptr;
}

const char* wants_cpuset(const Limits& limits) {
  if (limits.cpuset_cpus)
    return "cpuset CPUs";
  return limits.cpuset_mems ? "cpuset memory nodes" : nullptr;
}

const char* wants_pids(const Limits& limits) {
  return limits.pids_max ? "number of processes" : nullptr;
}

const char* wants_io(const Limits& limits) {
  if (limits.io_weight || !limits.io_weight_device.empty())
    return "block I/O weight";
  if (limits.io_leaf_weight || !limits.io_leaf_weight_device.empty())
    return "block I/O leaf weight";
  const bool throttled = !limits.io_read_bps.empty() || !limits.io_write_bps.empty() ||
                         !limits.io_read_iops.empty() || !limits.io_write_iops.empty();
  return throttled ? "block I/O rate" : nullptr;
}

const char* wants_hugetlb(const Limits& limits) {
  return limits.hugepages.empty() ? nullptr : "huge page";
}

const char* wants_rdma(const Limits& limits) {
  return limits.rdma.empty() ? nullptr : "RDMA";
}

const char* wants_net_cls(const Limits& limits) {
  return limits.network_class ? "network class" : nullptr;
}

const char* wants_net_prio(const Limits& limits) {
  return limits.network_priorities.empty() ? nullptr : "network priority";
}

const char* wants_nothing(const Limits& /*limits*/) {
  return nullptr;
}

constexpr std::array kControllers = {
    Controller{.v1_name = "memory",
               .v2_name = "memory",
               .wanted = wants_memory,
               .apply_v1 = v1::apply_memory,
               .apply_v2 = v2::apply_memory,
               .stats_v1 = v1::read_memory,
               .stats_v2 = v2::read_memory,
               .details_v1 = v1::detail_memory,
               .details_v2 = v2::detail_memory},
    Controller{.v1_name = "cpu",
               .v2_name = "cpu",
               .wanted = wants_cpu,
               .apply_v1 = v1::apply_cpu,
               .apply_v2 = v2::apply_cpu,
               .stats_v2 = v2::read_cpu,
               .details_v1 = v1::detail_cpu,
               .details_v2 = v2::detail_cpu},
    Controller{.v1_name = "cpuacct",
               .wanted = wants_nothing,
               .stats_v1 = v1::read_cpu,
               .details_v1 = v1::detail_cpuacct},
    Controller{.v1_name = "cpuset",
               .v2_name = "cpuset",
               .wanted = wants_cpuset,
               .apply_v1 = v1::apply_cpuset,
               .apply_v2 = v2::apply_cpuset,
               .details_v1 = v1::detail_cpuset,
               .details_v2 = v2::detail_cpuset},
    Controller{.v1_name = "pids",
               .v2_name = "pids",
               .wanted = wants_pids,
               .apply_v1 = apply_pids,
               .apply_v2 = apply_pids,
               .stats_v1 = read_pids,
               .stats_v2 = read_pids,
               .details_v1 = detail_pids,
               .details_v2 = detail_pids},
    Controller{.v1_name = "blkio",
               .v2_name = "io",
               .wanted = wants_io,
               .apply_v1 = v1::apply_blkio,
               .apply_v2 = v2::apply_io,
               .details_v1 = v1::detail_blkio,
               .details_v2 = v2::detail_io},
    Controller{.v1_name = "hugetlb",
               .v2_name = "hugetlb",
               .wanted = wants_hugetlb,
               .apply_v1 = v1::apply_hugetlb,
               .apply_v2 = v2::apply_hugetlb,
               .details_v1 = v1::detail_hugetlb,
               .details_v2 = v2::detail_hugetlb},
    Controller{.v1_name = "rdma",
               .v2_name = "rdma",
               .wanted = wants_rdma,
               .apply_v1 = apply_rdma,
               .apply_v2 = apply_rdma,
               .details_v1 = detail_rdma,
               .details_v2 = detail_rdma},
    Controller{.v1_name = "net_cls", .wanted = wants_net_cls, .apply_v1 = v1::apply_net_cls},
    Controller{.v1_name = "net_prio", .wanted = wants_net_prio, .apply_v1 = v1::apply_net_prio},
};

}  // namespace

std::span<const Controller> controllers() {
  return kControllers;
}

void apply_idle_before(const Directory& directory, const Limits& limits) {
  // A kernel without the file (before Linux 5.15) has no idle groups, which is what 0 asks for.
  if (limits.cpu_idle == 0 && directory.has(kCpuIdle))
    directory.write(kCpuIdle, "0", "CPU idle");
}

void apply_idle_after(const Directory& directory, const Limits& limits) {
  if (limits.cpu_idle.value_or(0) != 0)
    directory.write(kCpuIdle, std::to_string(*limits.cpu_idle), "CPU idle");
}

void throw_v1_only(const Directory& directory, std::string_view limit, std::string why) {
  throw base::Error("cannot set the " + std::string(limit) + " limit of " + directory.path +
                        ": it exists on cgroup v1 only, and this machine has the controller on v2",
                    ENOTSUP, std::move(why));
}

}  // namespace trine::cgroups
