// What this machine's kernel accounts for in a group that is everywhere.
#include "cgroups/details.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "detect.h"
#include "in_group.h"

using namespace trine::cgroups;

namespace {

class Everywhere {
 public:
  explicit Everywhere(const Limits& limits)
      : group_(create(detect(), unique_name(), limits, Coverage::kEverywhere)) {}
  Everywhere(const Everywhere&) = delete;
  Everywhere& operator=(const Everywhere&) = delete;
  ~Everywhere() { group_.remove(); }
  Group& operator*() { return group_; }

 private:
  Group group_;
};

int use_cpu() {
  volatile unsigned long spins = 0;
  while (spins < 50'000'000)
    spins = spins + 1;
  return 0;
}

}  // namespace

TEST_CASE("memory, its limit and its statistics are in the details") {
  REQUIRE_CONTROLLER("memory", "memory");
  Limits limits;
  limits.memory_bytes = 64 << 20;
  Everywhere group(limits);
  REQUIRE(run_in(*group, [] { return use_memory(8 << 20); }) == 0);
  const auto memory = details(*group).memory;
  CHECK(memory.memory.bytes);
  CHECK(memory.memory.limit_bytes == std::uint64_t{64} << 20);
  CHECK(memory.memory.failures == 0U);
  if (memory.memory.peak_bytes)
    CHECK(*memory.memory.peak_bytes >= std::uint64_t{8} << 20);
  CHECK(memory.cache_bytes);
  CHECK(memory.oom_kills == 0U);
  CHECK(memory.stat.contains("pgfault"));
}

TEST_CASE("CPU time is in the details, in user mode and in the kernel, and by CPU on version 1") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Everywhere group(Limits{});
  REQUIRE(run_in(*group, use_cpu) == 0);
  const auto cpu = details(*group).cpu;
  REQUIRE(cpu.total_ns);
  CHECK(*cpu.total_ns > 1'000'000);
  REQUIRE(cpu.user_ns);
  CHECK(*cpu.user_ns > 0);
  CHECK(cpu.kernel_ns);
  CHECK(cpu.periods == 0U);
  if (find_v1(detect(), "cpuacct") == nullptr)
    return;
  std::uint64_t sum = 0;
  for (const auto one : cpu.percpu_ns)
    sum += one;
  CHECK(sum == *cpu.total_ns);
  CHECK(cpu.percpu_user_ns.size() == cpu.percpu_ns.size());
}

TEST_CASE("a throttled group says so") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 5'000, .period_us = 100'000};
  Everywhere group(limits);
  REQUIRE(run_in(*group, use_cpu) == 0);
  const auto cpu = details(*group).cpu;
  CHECK(cpu.periods.value_or(0) > 0);
  CHECK(cpu.throttled_periods.value_or(0) > 0);
  CHECK(cpu.throttled_ns.value_or(0) > 0);
}

TEST_CASE("processes and their limit are in the details, and no limit is none") {
  REQUIRE_CONTROLLER("pids", "pids");
  Limits limits;
  limits.pids_max = 12;
  Everywhere group(limits);
  CHECK(details(*group).pids.limit == 12U);
  CHECK(details(*group).pids.current == 0U);
  limits.pids_max = -1;
  update(*group, limits);
  CHECK_FALSE(details(*group).pids.limit);
}

TEST_CASE("the cpuset in effect is in the details") {
  REQUIRE_CONTROLLER("cpuset", "cpuset");
  Limits limits;
  limits.cpuset_cpus = "0";
  Everywhere group(limits);
  const auto cpuset = details(*group).cpuset;
  CHECK(cpuset.cpus == "0");
  CHECK_FALSE(cpuset.mems.empty());
  if (on_v1("cpuset"))
    CHECK(cpuset.values.at("cpu_exclusive") == 0);
}

TEST_CASE("what was written to a disk is in the details") {
  REQUIRE_CONTROLLER("blkio", "io");
  Everywhere group(Limits{});
  // Past the page cache: version 1 does not know who filled a page that the kernel writes later.
  const int wrote = run_in(*group, [] {
    std::array<char, 64> name{"/var/tmp/trine-unit-XXXXXX"};
    const int fd = ::mkostemp(name.data(), O_DIRECT);
    ::unlink(name.data());
    alignas(4096) static const std::array<char, 1 << 16> kData{};
    return ::write(fd, kData.data(), kData.size()) == ssize_t{1 << 16} ? 0 : 1;
  });
  const auto io = details(*group).io;
  if (wrote != 0 || io.bytes.empty()) {
    WARN("skipped: /var/tmp is on no disk that this machine accounts for");
    return;
  }
  const bool written = std::ranges::any_of(
      io.bytes, [](const IoEntry& entry) { return entry.operation == "Write" && entry.value > 0; });
  if (!written && on_v1("blkio")) {
    WARN("skipped: some kernels count on version 1 only what they throttle");
    return;
  }
  CHECK(written);
  CHECK_FALSE(io.operations.empty());
}

TEST_CASE("huge pages are in the details by size") {
  REQUIRE_CONTROLLER("hugetlb", "hugetlb");
  Limits limits;
  limits.hugepages = {{.page_size = "2MB", .bytes = 4 << 20}};
  Everywhere group(limits);
  const auto hugepages = details(*group).hugepages;
  REQUIRE(hugepages.contains("2MB"));
  CHECK(hugepages.at("2MB").used.bytes == 0U);
  CHECK(hugepages.at("2MB").used.limit_bytes == std::uint64_t{4} << 20);
  CHECK(hugepages.at("2MB").used.failures == 0U);
}

TEST_CASE("pressure is in the details where the kernel measures it") {
  REQUIRE_GROUPS();
  const auto machine = detect();
  const auto* const v2 = find_v2(machine);
  if (v2 == nullptr || !exists("/proc/pressure/cpu")) {
    WARN("skipped: no version 2 here, or no pressure");
    return;
  }
  Everywhere group(Limits{});
  const auto found = details(*group);
  CHECK(found.cpu.pressure.some);
  CHECK(found.memory.pressure.full);
  CHECK(found.io.pressure.some);
}

TEST_CASE("a group without directories has no details") {
  const auto none = details(Group{});
  CHECK_FALSE(none.memory.memory.bytes);
  CHECK_FALSE(none.cpu.total_ns);
  CHECK(none.hugepages.empty());
}
