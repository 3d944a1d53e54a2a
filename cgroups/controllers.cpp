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
    Controller{"memory", "memory", wants_memory, v1::apply_memory, v2::apply_memory, v1::read_memory,
               v2::read_memory},
    Controller{"cpu", "cpu", wants_cpu, v1::apply_cpu, v2::apply_cpu, nullptr, v2::read_cpu},
    Controller{"cpuacct", "cpu", wants_nothing, nullptr, nullptr, v1::read_cpu, nullptr},
    Controller{"cpuset", "cpuset", wants_cpuset, v1::apply_cpuset, v2::apply_cpuset, nullptr, nullptr},
    Controller{"pids", "pids", wants_pids, v1::apply_pids, v2::apply_pids, v1::read_pids, v2::read_pids},
    Controller{"blkio", "io", wants_io, v1::apply_blkio, v2::apply_io, nullptr, nullptr},
    Controller{"hugetlb", "hugetlb", wants_hugetlb, v1::apply_hugetlb, v2::apply_hugetlb, nullptr, nullptr},
    Controller{"rdma", "rdma", wants_rdma, apply_rdma, apply_rdma, nullptr, nullptr},
    Controller{"net_cls", "", wants_net_cls, v1::apply_net_cls, nullptr, nullptr, nullptr},
    Controller{"net_prio", "", wants_net_prio, v1::apply_net_prio, nullptr, nullptr, nullptr},
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
