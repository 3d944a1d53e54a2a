// Limits on this machine's own hierarchies: what the kernel's files say, and that they bite.
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

#include "base/error.h"
#include "cgroups/group.h"
#include "detect.h"
#include "in_group.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// How many children there can be at a time, up to `wanted`.
int count_forks(int wanted) {
  int made = 0;
  for (; made < wanted; ++made) {
    const pid_t pid = ::fork();
    if (pid < 0)
      break;
    if (pid == 0)
      ::_exit(::pause());
  }
  return made;
}

}  // namespace

TEST_CASE("a process that uses more than its memory limit is killed, and the kill is counted") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 16 * kMiB;
  TestGroup group(limits);
  CHECK(group.file(on_v1("memory") ? "memory.limit_in_bytes" : "memory.max") == "16777216");
  CHECK(run_in(*group, [] { return use_memory(4 << 20); }) == 0);
  CHECK(group->stats().oom_kills == 0);
  // Swap, where a machine has it, gives room: more than any machine of ours has.
  CHECK(run_in(*group, [] { return use_memory(std::size_t{256} << 20); }) == 128 + SIGKILL);
  CHECK(group->stats().oom_kills == 1);
}

TEST_CASE("memory use and its peak are accounted") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 64 * kMiB;
  TestGroup group(limits);
  CHECK(run_in(*group, [] { return use_memory(8 << 20); }) == 0);
  const auto stats = group->stats();
  REQUIRE(stats.memory_bytes);
  CHECK(*stats.memory_bytes < 64ULL << 20);
  if (stats.memory_peak_bytes)
    CHECK(*stats.memory_peak_bytes >= 8ULL << 20);
}

TEST_CASE("the swap limit is the sum on v1 and the difference on v2") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 16 * kMiB;
  limits.memory_swap_bytes = 24 * kMiB;
  try {
    TestGroup group(limits);
    CHECK(group.file(on_v1("memory") ? "memory.memsw.limit_in_bytes" : "memory.swap.max") ==
          (on_v1("memory") ? "25165824" : "8388608"));
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    WARN("skipped: " << error.what());
  }
}

TEST_CASE("unlimited swap is never an error") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 16 * kMiB;
  limits.memory_swap_bytes = -1;
  CHECK_NOTHROW(TestGroup(limits));
}

TEST_CASE(
    "memory limits of a group that has some are raised and lowered in the order that the kernel takes") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 16 * kMiB;
  limits.memory_swap_bytes = 24 * kMiB;
  if (on_v1("memory") ? !exists(find_v1(detect(), "memory")->mount_point + "/memory.memsw.limit_in_bytes")
                      : true) {
    WARN("skipped: only cgroup v1 with swap accounting ties the two limits together");
    return;
  }
  TestGroup group(limits);
  limits.memory_bytes = 64 * kMiB;
  limits.memory_swap_bytes = 96 * kMiB;
  CHECK_NOTHROW(create(detect(), group.name(), limits));
  CHECK(group.file("memory.memsw.limit_in_bytes") == "100663296");
  limits.memory_bytes = 8 * kMiB;
  limits.memory_swap_bytes = 8 * kMiB;
  CHECK_NOTHROW(create(detect(), group.name(), limits));
  CHECK(group.file("memory.limit_in_bytes") == "8388608");
}

TEST_CASE("a group starts no more processes than its limit") {
  REQUIRE_CONTROLLER("pids", "pids");
  Limits limits;
  limits.pids_max = 5;
  TestGroup group(limits);
  CHECK(group.file("pids.max") == "5");
  CHECK(run_in(*group, [] { return count_forks(20); }) == 4);
  CHECK(group->stats().pids.value_or(0) <= 5);
}

TEST_CASE("no limit on processes is written as max") {
  REQUIRE_CONTROLLER("pids", "pids");
  Limits limits;
  limits.pids_max = -1;
  TestGroup group(limits);
  CHECK(group.file("pids.max") == "max");
}

TEST_CASE("the CPU quota, shares and idle state are in the kernel's files") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 20'000, .period_us = 50'000};
  limits.cpu_shares = 512;
  TestGroup group(limits);
  if (on_v1("cpu")) {
    CHECK(group.file("cpu.cfs_quota_us") == "20000");
    CHECK(group.file("cpu.cfs_period_us") == "50000");
    CHECK(group.file("cpu.shares") == "512");
  } else {
    CHECK(group.file("cpu.max") == "20000 50000");
    CHECK(group.file("cpu.weight") == "20");
  }
}

TEST_CASE("a quota that the kernel refuses is an error that names the limit and the file") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 1, .period_us = 100'000};
  try {
    TestGroup group(limits);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == EINVAL);
    CHECK(error.message().find("CPU quota limit of ") != std::string::npos);
  }
}

TEST_CASE("CPU time is accounted where a directory can") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu_shares = 512;
  TestGroup group(limits);
  const auto used = group->stats().cpu_usage_us;
  if (!used) {
    WARN("skipped: on this machine CPU time is accounted in a hierarchy that no limit needs");
    return;
  }
  CHECK(run_in(*group, [] {
          volatile unsigned long spins = 0;
          while (spins < 50'000'000)
            spins = spins + 1;
          return 0;
        }) == 0);
  CHECK(group->stats().cpu_usage_us.value_or(0) > *used + 1'000);
}

TEST_CASE("a process runs on the CPUs of its set only") {
  REQUIRE_CONTROLLER("cpuset", "cpuset");
  Limits limits;
  limits.cpuset_cpus = "0";
  TestGroup group(limits);
  CHECK(group.file("cpuset.cpus") == "0");
  CHECK(run_in(*group, [] {
          cpu_set_t set;
          return ::sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set)
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE("a cpuset below new groups takes processes") {
  REQUIRE_CONTROLLER("cpuset", "cpuset");
  Limits limits;
  limits.cpuset_mems = "0";
  const auto parent = unique_name();
  auto group = create(detect(), parent + "/inner", limits);
  CHECK(run_in(group, [] { return 0; }) == 0);
  const auto inner = group.directories().at(0);
  group.remove();
  CHECK(::rmdir(inner.substr(0, inner.size() - 6).c_str()) == 0);
}

TEST_CASE("huge pages in use and reserved are limited, on v2 of a hybrid machine too") {
  REQUIRE_CONTROLLER("hugetlb", "hugetlb");
  Limits limits;
  limits.hugepages = {{.page_size = "2MB", .bytes = 4 << 20}};
  TestGroup group(limits);
  CHECK(group.file(on_v1("hugetlb") ? "hugetlb.2MB.limit_in_bytes" : "hugetlb.2MB.max") == "4194304");
  CHECK(group.file(on_v1("hugetlb") ? "hugetlb.2MB.rsvd.limit_in_bytes" : "hugetlb.2MB.rsvd.max") ==
        "4194304");
}

TEST_CASE("huge pages of a size that the machine has not are an error that names the file") {
  REQUIRE_CONTROLLER("hugetlb", "hugetlb");
  Limits limits;
  limits.hugepages = {{.page_size = "3MB", .bytes = 0}};
  try {
    TestGroup group(limits);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    CHECK(error.message().find("hugetlb.3MB.") != std::string::npos);
  }
}

TEST_CASE("block I/O rates are in the kernel's files, a line a device") {
  REQUIRE_CONTROLLER("blkio", "io");
  std::ifstream disks("/proc/partitions");
  std::string header;
  std::getline(disks, header);
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  if (!(disks >> major >> minor)) {
    WARN("skipped: this machine has no block device");
    return;
  }
  Limits limits;
  limits.io_read_bps = {{.major = major, .minor = minor, .value = 1 << 20}};
  limits.io_write_iops = {{.major = major, .minor = minor, .value = 100}};
  TestGroup group(limits);
  const auto device = std::to_string(major) + ":" + std::to_string(minor);
  if (on_v1("blkio")) {
    CHECK(group.file("blkio.throttle.read_bps_device") == device + " 1048576");
    CHECK(group.file("blkio.throttle.write_iops_device") == device + " 100");
  } else {
    CHECK(group.file("io.max") == device + " rbps=1048576 wbps=max riops=max wiops=100");
  }
}

TEST_CASE("limits of v1 alone are an error on v2 that says so") {
  REQUIRE_CONTROLLER("memory", "memory");
  if (on_v1("memory")) {
    WARN("skipped: the memory controller of this machine is on cgroup v1");
    return;
  }
  Limits limits;
  limits.memory_swappiness = 10;
  CHECK_THROWS_WITH(TestGroup(limits), Catch::Contains("cgroup v1 only"));
}

TEST_CASE("a controller that is on v1 cannot be set by its v2 file, and the error says where it looked") {
  REQUIRE_GROUPS();
  const auto machine = detect();
  if (machine.layout != Layout::kHybrid || find_v1(machine, "memory") == nullptr) {
    WARN("skipped: this machine is not a hybrid one with memory on v1");
    return;
  }
  Limits limits;
  limits.unified = {{"memory.high", "max"}};
  CHECK_THROWS_WITH(TestGroup(limits),
                    Catch::Contains("memory.high") && Catch::Contains("cgroup.controllers"));
}

TEST_CASE("files of version 2 are written as they are given") {
  REQUIRE_GROUPS();
  if (find_v2(detect()) == nullptr) {
    WARN("skipped: this machine has no cgroup v2");
    return;
  }
  Limits limits;
  limits.unified = {{"cgroup.max.depth", "3"}};
  TestGroup group(limits);
  CHECK(group.file("cgroup.max.depth") == "3");
}
