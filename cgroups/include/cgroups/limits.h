#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trine::cgroups {

/// Run time a group gets in each period, in microseconds. quota -1: no limit. Unset: as the group has it,
/// which is no limit and 100,000 in a new one.
struct CpuQuota {
  std::optional<std::int64_t> quota_us;
  std::optional<std::uint64_t> period_us;
};

/// A limit of one block device. Unit: bytes or operations a second; weights are 10..1000 as in v1.
struct IoDeviceLimit {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint64_t value = 0;
};

/// Both huge pages in use and, where the kernel counts them (Linux 5.7), huge pages reserved.
struct HugepageLimit {
  std::string page_size;  ///< "2MB", as the kernel names its files
  std::uint64_t bytes = 0;
};

/// A limit of one RDMA device. Unset: no limit. Source: Linux Documentation/admin-guide/cgroup-v1/rdma.rst.
struct RdmaLimit {
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
};

/// One rule of device access. For each kind of access that a process asks for, the last rule that matches the
/// device and names that kind decides; all kinds asked for must be allowed. What no rule matches is denied.
/// Rules that allow everything, and deny nothing after that, are no device control, and cost nothing.
/// Source: Linux Documentation/admin-guide/cgroup-v1/devices.rst.
struct DeviceRule {
  bool allow = false;
  char type = 'a';                     ///< a, b, c
  std::optional<std::uint32_t> major;  ///< unset: all
  std::optional<std::uint32_t> minor;
  std::string access = "rwm";
};

/// Limits of one instance. Unset means: as the parent has it. Units are the kernel's, named in each field.
/// Source: Linux Documentation/admin-guide/cgroup-v2.rst; OCI runtime-spec 1.3
/// config-linux.md#control-groups.
struct Limits {
  std::optional<std::int64_t> memory_bytes;       ///< memory.max; v1: memory.limit_in_bytes; -1: no limit
  std::optional<std::int64_t> memory_swap_bytes;  ///< memory and swap together (v1's meaning); -1: no limit
  bool memory_swap_is_default = false;  ///< nobody asked for it: no error on a kernel without swap accounting
  std::optional<std::int64_t> memory_reservation_bytes;  ///< memory.low; v1: memory.soft_limit_in_bytes
  /// v2: the kernel meets a limit below the present use by killing; with this it is an Error. v1's kernel
  /// refuses such a limit in any case.
  bool memory_check_before_update = false;
  std::optional<std::int64_t> memory_kernel_tcp_bytes;  ///< v1 only: memory.kmem.tcp.limit_in_bytes; -1: none
  std::optional<std::uint64_t> memory_swappiness;       ///< v1 only: memory.swappiness
  bool disable_oom_killer = false;                      ///< v1 only: memory.oom_control
  std::optional<std::uint64_t> cpu_shares;              ///< v1 shares 2..262144; v2: cpu.weight, converted
  std::optional<CpuQuota> cpu;                          ///< cpu.max; v1: cpu.cfs_quota_us, cpu.cfs_period_us
  std::optional<std::uint64_t> cpu_burst_us;            ///< cpu.max.burst; v1: cpu.cfs_burst_us
  std::optional<std::int64_t> cpu_idle;                 ///< cpu.idle
  std::optional<CpuQuota> cpu_realtime;                 ///< v1 only: cpu.rt_runtime_us, cpu.rt_period_us
  std::optional<std::string> cpuset_cpus;               ///< "0-2,4"
  std::optional<std::string> cpuset_mems;
  std::optional<std::int64_t> pids_max;  ///< -1: no limit
  std::optional<std::uint64_t>
      io_weight;  ///< blkio.weight 10..1000; v2: io.bfq.weight or io.weight, converted
  std::vector<IoDeviceLimit> io_weight_device;
  std::optional<std::uint64_t> io_leaf_weight;  ///< v1 before Linux 5.0 only: blkio.leaf_weight 10..1000
  std::vector<IoDeviceLimit> io_leaf_weight_device;
  std::vector<IoDeviceLimit> io_read_bps, io_write_bps, io_read_iops, io_write_iops;
  std::vector<HugepageLimit> hugepages;
  std::map<std::string, RdmaLimit> rdma;                    ///< by device, "mlx5_0"
  std::optional<std::uint32_t> network_class;               ///< v1 only: net_cls.classid
  std::map<std::string, std::uint32_t> network_priorities;  ///< v1 only: net_prio.ifpriomap, by interface
  std::map<std::string, std::string> unified;               ///< v2 file name -> value, written as it is
  std::vector<DeviceRule> devices;  ///< empty: no device control. Starts from "deny all" when not empty.
};

}  // namespace trine::cgroups
