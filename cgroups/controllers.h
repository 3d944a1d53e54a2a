#pragma once

#include <span>
#include <string_view>

#include "cgroups/details.h"
#include "cgroups/group.h"
#include "cgroups/limits.h"
#include "directory.h"

/// The controllers, a file each: v1/NAME.cpp and v2/NAME.cpp. A new one is those two files and a row of the
/// table.
namespace trine::cgroups {

struct DevicePolicy;

struct Controller {
  std::string_view v1_name;
  std::string_view v2_name;  ///< empty: v2 has no such controller
  /// The user's word for the first limit that needs this controller; null when none does.
  const char* (*wanted)(const Limits&) = nullptr;
  /// Write the limits to a group's directory. They throw Error, also for a limit that the version has not.
  void (*apply_v1)(const Directory&, const Limits&) = nullptr;
  void (*apply_v2)(const Directory&, const Limits&) = nullptr;
  /// Fill in what the directory accounts for; null: nothing.
  void (*stats_v1)(const Directory&, Stats&) = nullptr;
  void (*stats_v2)(const Directory&, Stats&) = nullptr;
  /// The same, all of it. Called for a directory that has the controller.
  void (*details_v1)(const Directory&, Details&) = nullptr;
  void (*details_v2)(const Directory&, Details&) = nullptr;
};

std::span<const Controller> controllers();

/// Throws Error for a limit that exists on cgroup v1 only. `why` says what takes its place, if anything.
[[noreturn]] void throw_v1_only(const Directory& directory, std::string_view limit, std::string why);

/// cpu.idle, which has the same name in both versions. A group that is idle takes no weight: it is made busy
/// before its weight is written, and idle after.
void apply_idle_before(const Directory& directory, const Limits& limits);
void apply_idle_after(const Directory& directory, const Limits& limits);

/// Controllers that have the same files in both versions.
void apply_rdma(const Directory& directory, const Limits& limits);
void detail_rdma(const Directory& directory, Details& details);
void apply_pids(const Directory& directory, const Limits& limits);
void read_pids(const Directory& directory, Stats& stats);
void detail_pids(const Directory& directory, Details& details);

namespace v1 {
void apply_net_cls(const Directory& directory, const Limits& limits);
void apply_net_prio(const Directory& directory, const Limits& limits);
void apply_memory(const Directory& directory, const Limits& limits);
void apply_cpu(const Directory& directory, const Limits& limits);
void apply_cpuset(const Directory& directory, const Limits& limits);
void apply_blkio(const Directory& directory, const Limits& limits);
void apply_hugetlb(const Directory& directory, const Limits& limits);
void read_memory(const Directory& directory, Stats& stats);
void read_cpu(const Directory& directory, Stats& stats);

void detail_memory(const Directory& directory, Details& details);
void detail_cpu(const Directory& directory, Details& details);
void detail_cpuacct(const Directory& directory, Details& details);
void detail_cpuset(const Directory& directory, Details& details);
void detail_blkio(const Directory& directory, Details& details);
void detail_hugetlb(const Directory& directory, Details& details);

/// Starts from "nothing allowed", or from "everything" when the policy says so, and writes the exceptions.
void apply_devices(const Directory& directory, const DevicePolicy& policy);
}  // namespace v1

namespace v2 {
void apply_memory(const Directory& directory, const Limits& limits);
void apply_cpu(const Directory& directory, const Limits& limits);
void apply_cpuset(const Directory& directory, const Limits& limits);
void apply_io(const Directory& directory, const Limits& limits);
void apply_hugetlb(const Directory& directory, const Limits& limits);
void read_memory(const Directory& directory, Stats& stats);
void read_cpu(const Directory& directory, Stats& stats);

void detail_memory(const Directory& directory, Details& details);
void detail_cpu(const Directory& directory, Details& details);
void detail_cpuset(const Directory& directory, Details& details);
void detail_io(const Directory& directory, Details& details);
void detail_hugetlb(const Directory& directory, Details& details);

/// Loads the rules as an eBPF program and attaches it to the group, for as long as the group exists.
void apply_devices(const Directory& directory, const std::vector<DeviceRule>& rules);
}  // namespace v2

}  // namespace trine::cgroups
