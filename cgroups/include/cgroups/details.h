#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cgroups/group.h"

/// All that the kernel accounts for in a group: for `events --stats`. Group::stats() is the short form.
///
/// Every field is unset, or empty, where the group has no directory that accounts for it. Times are in
/// nanoseconds, sizes in bytes. Both versions are brought into one form.
/// Source: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/, accounting/psi.rst.
namespace trine::cgroups {

/// One line of a pressure file: the share of time, in percent, that tasks waited for the resource.
struct PressureLine {
  double avg10 = 0, avg60 = 0, avg300 = 0;
  std::uint64_t total_us = 0;
};

/// v2 only, and only with CONFIG_PSI. `some`: at least one task waited; `full`: all did.
struct Pressure {
  std::optional<PressureLine> some, full;
};

struct CpuDetails {
  std::optional<std::uint64_t> total_ns, user_ns, kernel_ns;
  std::vector<std::uint64_t> percpu_ns, percpu_user_ns, percpu_kernel_ns;  ///< v1 only; by CPU number
  std::optional<std::uint64_t> periods, throttled_periods, throttled_ns;
  std::optional<std::uint64_t> bursts, burst_ns;
  Pressure pressure;
};

struct CpusetDetails {
  std::string cpus, mems;  ///< "0-3,8": those that are in effect
  /// v1 only: its other files that hold a number, without "cpuset." ("cpu_exclusive", "memory_pressure").
  std::map<std::string, std::int64_t> values;
};

struct MemoryUsage {
  std::optional<std::uint64_t> bytes, peak_bytes;
  std::optional<std::uint64_t> failures;     ///< how often the limit was met
  std::optional<std::uint64_t> limit_bytes;  ///< unset: none. v1 has a number for none: 2^63 - page size
};

struct MemoryDetails {
  MemoryUsage memory;
  MemoryUsage memory_and_swap;  ///< v1's memsw; on v2 the sum, without a peak and failures
  MemoryUsage swap;             ///< v2 only
  MemoryUsage kernel;           ///< v2: the use only (Linux 5.18)
  MemoryUsage kernel_tcp;       ///< v1 only
  std::optional<std::uint64_t> cache_bytes, oom_kills;
  std::map<std::string, std::uint64_t> stat;  ///< memory.stat as it is
  Pressure pressure;
};

struct PidsDetails {
  std::optional<std::uint64_t> current;
  std::optional<std::uint64_t> limit;  ///< unset: none
};

/// One number of one block device. `operation` is "Read", "Write", "Discard", and on v1 also "Sync", "Async"
/// and "Total"; empty where the file has none.
struct IoEntry {
  std::uint32_t major = 0, minor = 0;
  std::string operation;
  std::uint64_t value = 0;
};

/// With what the groups below did. Only the first two exist on v2, and on v1 since CFQ left with Linux 5.0.
struct IoDetails {
  std::vector<IoEntry> bytes, operations;
  std::vector<IoEntry> queued, service_time, wait_time, merged, time, sectors;
  Pressure pressure;
};

struct HugepageDetails {
  MemoryUsage used, reserved;
};

struct Details {
  CpuDetails cpu;
  CpusetDetails cpuset;
  MemoryDetails memory;
  PidsDetails pids;
  IoDetails io;
  std::map<std::string, HugepageDetails> hugepages;  ///< by the page's size, "2MB"
  std::map<std::string, RdmaLimit> rdma;             ///< by device: what is in use
};

/// Reads it all: up to a hundred files. Never throws: a file that is missing or has another form leaves its
/// fields unset.
Details details(const Group& group);

}  // namespace trine::cgroups
