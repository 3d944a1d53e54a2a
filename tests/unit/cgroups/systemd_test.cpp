// What systemd is asked for.
#include "cgroups/systemd.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "base/error.h"
#include "in_group.h"
#include "systemd/properties.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

std::string text_of(const std::string& path, bool user = false) {
  const auto unit = parse_systemd_path(path, user);
  return unit.slice + " " + unit.name;
}

std::map<std::string, std::string> properties(const Limits& limits, bool v2) {
  const auto list = systemd::properties_of(limits, v2);
  return {list.begin(), list.end()};
}

}  // namespace

TEST_CASE("a systemd path is a slice, a prefix and a name, with defaults for the first two") {
  CHECK(text_of("system.slice:runc:abc") == "system.slice runc-abc.scope");
  CHECK(text_of(":runc:abc") == "system.slice runc-abc.scope");
  CHECK(text_of(":runc:abc", true) == "user.slice runc-abc.scope");
  CHECK(text_of("machine.slice::abc") == "machine.slice abc.scope");
  CHECK(text_of("machine.slice:libpod:1234") == "machine.slice libpod-1234.scope");
  CHECK(text_of("-.slice:a:b") == "-.slice a-b.scope");
  CHECK(text_of("kubepods-burstable-pod1_2.slice:cri-containerd:ab") ==
        "kubepods-burstable-pod1_2.slice cri-containerd-ab.scope");
}

TEST_CASE("what is no systemd path is refused with the form that is wanted") {
  for (const std::string path :
       {"", "/machine.slice/libpod-x", "a:b", "a.slice:b:c:d", "system:runc:abc", "a/b.slice:runc:abc",
        "-a.slice:runc:abc", "a--b.slice:runc:abc", "a-.slice:runc:abc", ".slice:runc:abc",
        "system.slice:runc:", "system.slice:runc:a/b", "system.slice:runc:a b", "system.slice:runc:a\nb",
        "system.slice::pod.slice"}) {
    INFO(path);
    try {
      parse_systemd_path(path, false);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.errno_value() == EINVAL);
      CHECK_THAT(error.hint(), Catch::Contains("system.slice:runc:abc"));
    }
  }
  CHECK_THROWS_AS(parse_systemd_path("a.slice:b:" + std::string(300, 'x'), false), Error);
}

TEST_CASE("dashes in a slice's name are its way down the tree") {
  CHECK(slice_path("system.slice") == "/system.slice");
  CHECK(slice_path("a-b-c.slice") == "/a.slice/a-b.slice/a-b-c.slice");
  CHECK(slice_path("-.slice").empty());
}

TEST_CASE("limits are the properties of the version that systemd manages") {
  Limits limits;
  limits.memory_bytes = 64 << 20;
  limits.memory_swap_bytes = 96 << 20;
  limits.cpu_shares = 1024;
  limits.cpu = CpuQuota{.quota_us = 150'000, .period_us = 100'000};
  limits.pids_max = -1;
  limits.cpuset_cpus = "0-2,9";
  const auto two = properties(limits, true);
  CHECK(two.at("MemoryMax") == "uint64 67108864");
  CHECK(two.at("MemorySwapMax") == "uint64 33554432");
  CHECK(two.at("CPUWeight") == "uint64 39");
  CHECK(two.at("CPUQuotaPerSecUSec") == "uint64 1500000");
  CHECK(two.at("CPUQuotaPeriodUSec") == "uint64 100000");
  CHECK(two.at("TasksMax") == "uint64 18446744073709551615");
  CHECK(two.at("AllowedCPUs") == "[byte 7, 2]");
  const auto one = properties(limits, false);
  CHECK(one.at("MemoryLimit") == "uint64 67108864");
  CHECK(one.at("CPUShares") == "uint64 1024");
  CHECK_FALSE(one.contains("MemoryMax"));
  CHECK_FALSE(one.contains("AllowedCPUs"));
  CHECK(properties({}, true).empty());
  CHECK(properties({}, false).empty());
}

TEST_CASE("a quota is rounded up to the hundredth of a CPU that systemd knows") {
  Limits limits;
  limits.cpu = CpuQuota{.quota_us = 33'333, .period_us = 100'000};
  CHECK(properties(limits, true).at("CPUQuotaPerSecUSec") == "uint64 340000");
  limits.cpu = CpuQuota{.quota_us = -1, .period_us = 100'000};
  CHECK(properties(limits, true).at("CPUQuotaPerSecUSec") == "uint64 18446744073709551615");
}

TEST_CASE("files of version 2 that systemd has a property for are its business too") {
  Limits limits;
  limits.unified = {{"memory.high", "1000000"}, {"memory.min", "max"},     {"cpu.max", "50000 100000"},
                    {"cpuset.mems", "0"},       {"memory.oom.group", "1"}, {"pids.max", "not a number"}};
  const auto two = properties(limits, true);
  CHECK(two.at("MemoryHigh") == "uint64 1000000");
  CHECK(two.at("MemoryMin") == "uint64 18446744073709551615");
  CHECK(two.at("CPUQuotaPerSecUSec") == "uint64 500000");
  CHECK(two.at("AllowedMemoryNodes") == "[byte 1]");
  CHECK_FALSE(two.contains("TasksMax"));
}

TEST_CASE("on version 1 systemd learns the devices, which it would allow again otherwise") {
  Limits limits;
  limits.devices = {{.allow = false},
                    {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},
                    {.allow = true, .type = 'c', .major = {}, .minor = {}, .access = "m"}};
  const auto one = properties(limits, false);
  CHECK(one.at("DevicePolicy") == "'strict'");
  CHECK_THAT(one.at("DeviceAllow"),
             Catch::Contains("('/dev/char/1:3', 'rwm')") && Catch::Contains("('char-*', 'm')"));
  CHECK_FALSE(properties(limits, true).contains("DeviceAllow"));
}

TEST_CASE("seconds of an annotation are microseconds for systemd") {
  const auto checked = systemd::check_properties({{"TimeoutStopSec", "5"},
                                                  {"TimeoutStartSec", "uint64 2"},
                                                  {"RuntimeMaxSec", "1.5"},
                                                  {"KillMode", "'none'"}});
  CHECK(checked[0] == UnitProperty{"TimeoutStopUSec", "uint64 5000000"});
  CHECK(checked[1] == UnitProperty{"TimeoutStartUSec", "uint64 2000000"});
  CHECK(checked[2] == UnitProperty{"RuntimeMaxUSec", "uint64 1500000"});
  CHECK(checked[3] == UnitProperty{"KillMode", "'none'"});
}

TEST_CASE("an annotation that is no property is refused with its name") {
  for (const UnitProperty& property : std::vector<UnitProperty>{{"", "1"},
                                                                {"A", "1"},
                                                                {"Kill Mode", "'x'"},
                                                                {"KillMode", "none"},
                                                                {"TimeoutStopSec", "'x'"},
                                                                {"TimeoutStopSec", "-1"}}) {
    INFO(property.first << " " << property.second);
    try {
      systemd::check_properties({property});
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.errno_value() == EINVAL);
      CHECK_THAT(error.what(), Catch::Contains("'" + property.first + "'"));
    }
  }
}

TEST_CASE("without the helper program the error says where it belongs") {
  Limits limits;
  try {
    create_with_systemd(detect(), {.slice = "system.slice", .name = "x.scope"},
                        {.helper = "/nonexistent/trine-systemd"}, limits);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains("trine-systemd"));
    CHECK_THAT(error.hint(), Catch::Contains("libexec"));
  }
}
