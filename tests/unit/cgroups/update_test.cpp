// Limits of a group that is in use, on this machine's own hierarchies.
#include <catch2/catch.hpp>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "cgroups/group.h"
#include "in_group.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

Limits memory(std::int64_t bytes) {
  Limits limits;
  limits.memory_bytes = bytes;
  return limits;
}

const char* memory_file() {
  return on_v1("memory") ? "memory.limit_in_bytes" : "memory.max";
}

}  // namespace

TEST_CASE("an update changes what it names and leaves the rest") {
  REQUIRE_CONTROLLER("memory", "memory");
  auto limits = memory(64 * kMiB);
  limits.pids_max = 10;
  TestGroup group(limits);
  auto found = open_group(group->directories());
  update(found, memory(32 * kMiB));
  CHECK(group.file(memory_file()) == "33554432");
  CHECK(group.file("pids.max") == "10");
  update(found, memory(128 * kMiB));
  CHECK(group.file(memory_file()) == "134217728");
}

TEST_CASE("memory and swap go up and down together") {
  REQUIRE_CONTROLLER("memory", "memory");
  TestGroup group(memory(16 * kMiB));
  const bool v1 = on_v1("memory");
  if (group.file(v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max") == "(no such file)") {
    WARN("skipped: this kernel does not account for swap");
    return;
  }
  for (const std::int64_t size : {64, 8, 256, 16}) {
    auto limits = memory(size * kMiB);
    limits.memory_swap_bytes = 2 * size * kMiB;
    REQUIRE_NOTHROW(update(*group, limits));
    CHECK(group.file(memory_file()) == std::to_string(size * kMiB));
    CHECK(group.file(v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max") ==
          std::to_string((v1 ? 2 : 1) * size * kMiB));
  }
  // Without a word on swap, no limit on memory is no limit on the sum either.
  REQUIRE_NOTHROW(update(*group, memory(-1)));
  CHECK(group.file(memory_file()) == (v1 ? "9223372036854771712" : "max"));
}

TEST_CASE("swap alone is updated against the memory limit that the group has") {
  REQUIRE_CONTROLLER("memory", "memory");
  TestGroup group(memory(16 * kMiB));
  const bool v1 = on_v1("memory");
  if (group.file(v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max") == "(no such file)") {
    WARN("skipped: this kernel does not account for swap");
    return;
  }
  Limits limits;
  limits.memory_swap_bytes = 24 * kMiB;
  update(*group, limits);
  CHECK(group.file(v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max") ==
        std::to_string((v1 ? 24 : 8) * kMiB));
  limits.memory_swap_bytes = 8 * kMiB;
  CHECK_THROWS_AS(update(*group, limits), Error);
}

TEST_CASE("a memory limit below the present use is an error when that is to be checked") {
  REQUIRE_CONTROLLER("memory", "memory");
  if (on_v1("memory")) {
    WARN("skipped: the memory controller is on version 1, whose kernel checks by itself");
    return;
  }
  TestGroup group(memory(64 * kMiB));
  const pid_t pid = start_in(*group, [] {
    use_memory(8 << 20);
    return ::pause();
  });
  REQUIRE(eventually([&] { return group->stats().memory_bytes.value_or(0) > 8 << 20; }));
  auto limits = memory(4 * kMiB);
  limits.memory_check_before_update = true;
  CHECK_THROWS_WITH(update(*group, limits), Catch::Contains("it uses"));
  CHECK_FALSE(has_ended(pid));
}

TEST_CASE("a period without a quota keeps the quota, and a quota without a period the period") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 20'000, .period_us = 50'000};
  TestGroup group(limits);
  const auto present = [&] {
    return on_v1("cpu") ? group.file("cpu.cfs_quota_us") + " " + group.file("cpu.cfs_period_us")
                        : group.file("cpu.max");
  };
  limits.cpu = CpuQuota{.quota_us = std::nullopt, .period_us = 80'000};
  update(*group, limits);
  CHECK(present() == "20000 80000");
  limits.cpu = CpuQuota{.quota_us = 30'000, .period_us = std::nullopt};
  update(*group, limits);
  CHECK(present() == "30000 80000");
}

TEST_CASE("a period and a quota that the group above takes only one way round are set") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 100'000, .period_us = 100'000};
  TestGroup above(limits);
  auto below = create(detect(), above.name() + "/below", limits);
  limits.cpu = CpuQuota{.quota_us = 50'000, .period_us = 50'000};
  CHECK_NOTHROW(update(below, limits));
  limits.cpu = CpuQuota{.quota_us = 200'000, .period_us = 200'000};
  CHECK_NOTHROW(update(below, limits));
  below.remove();
}

TEST_CASE("a burst and its quota go up and down together") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 20'000, .period_us = 100'000};
  TestGroup group(limits);
  const bool v1 = on_v1("cpu");
  const char* const burst = v1 ? "cpu.cfs_burst_us" : "cpu.max.burst";
  if (group.file(burst) == "(no such file)") {
    WARN("skipped: this kernel has no bursts");
    return;
  }
  for (const std::int64_t quota : {80'000, 10'000, 50'000}) {
    limits.cpu = CpuQuota{.quota_us = quota, .period_us = 100'000};
    limits.cpu_burst_us = quota;
    REQUIRE_NOTHROW(update(*group, limits));
    CHECK(group.file(burst) == std::to_string(quota));
  }
}

TEST_CASE("an idle group is made busy before it gets shares") {
  REQUIRE_CONTROLLER("cpu", "cpu");
  Limits limits;
  limits.cpu_idle = 1;
  limits.cpu_shares = 512;
  try {
    TestGroup group(limits);
    CHECK(group.file("cpu.idle") == "1");
    limits.cpu_idle = 0;
    limits.cpu_shares = 256;
    REQUIRE_NOTHROW(update(*group, limits));
    CHECK(group.file("cpu.idle") == "0");
    CHECK(group.file(on_v1("cpu") ? "cpu.shares" : "cpu.weight") == (on_v1("cpu") ? "256" : "10"));
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    WARN("skipped: " << error.what());
  }
}

TEST_CASE(
    "a limit whose controller the group does not have is an error that names it, and nothing is written") {
  REQUIRE_CONTROLLER("memory", "memory");
  TestGroup group(memory(64 * kMiB));
  auto limits = memory(32 * kMiB);
  limits.network_class = 1;
  try {
    update(*group, limits);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    CHECK_THAT(error.what(), Catch::Contains("network class") && Catch::Contains("controller net_cls"));
  }
  CHECK(group.file(memory_file()) == "67108864");
  CHECK_THROWS_WITH(update(Group{}, memory(kMiB)), Catch::Contains("without a cgroup"));
}
