#include "plan.h"

#include <catch2/catch.hpp>

#include <cerrno>

#include "base/error.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

Hierarchy v1(const std::string& name, std::vector<std::string> controllers) {
  return {.mount_point = "/sys/fs/cgroup/" + name, .controllers = std::move(controllers), .v2 = false};
}

const Hierarchy kUnified{.mount_point = "/sys/fs/cgroup/unified", .controllers = {}, .v2 = true};
const Hierarchies kHybrid{.layout = Layout::kHybrid,
                          .all = {kUnified, v1("memory", {"memory"}), v1("devices", {"devices"}),
                                  v1("cpu,cpuset", {"cpu", "cpuset"})}};
const Hierarchies kV1{.layout = Layout::kV1, .all = {v1("memory", {"memory"}), v1("devices", {"devices"})}};
const Hierarchies kPure{.layout = Layout::kV2,
                        .all = {{.mount_point = "/sys/fs/cgroup", .controllers = {}, .v2 = true}}};
const Hierarchies kNone{};

Limits with_memory() {
  Limits limits;
  limits.memory_bytes = 1 << 20;
  return limits;
}

Limits with_devices(std::vector<DeviceRule> rules) {
  Limits limits;
  limits.devices = std::move(rules);
  return limits;
}

std::vector<std::string> bases(const Plan& plan) {
  std::vector<std::string> result;
  for (const auto& place : plan.places)
    result.push_back(place.base);
  return result;
}

template <typename Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error("");
}

using Paths = std::vector<std::string>;
const DeviceRule kNull{.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"};

}  // namespace

TEST_CASE("a group without limits touches no hierarchy") {
  CHECK(plan_as_root(kHybrid, {}).places.empty());
  CHECK(plan_as_root(kNone, {}).places.empty());
  CHECK(plan_without_privilege(kHybrid, {}, std::nullopt).places.empty());
}

TEST_CASE("a limit touches the one hierarchy of its controller") {
  CHECK(bases(plan_as_root(kHybrid, with_memory())) == Paths{"/sys/fs/cgroup/memory"});
  CHECK(bases(plan_as_root(kPure, with_memory())) == Paths{"/sys/fs/cgroup"});
}

TEST_CASE("a controller that v1 does not have is looked for on v2 of a hybrid machine") {
  Limits limits;
  limits.hugepages = {{.page_size = "2MB", .bytes = 0}};
  const auto plan = plan_as_root(kHybrid, limits);
  REQUIRE(bases(plan) == Paths{"/sys/fs/cgroup/unified"});
  REQUIRE(plan.places[0].needs.size() == 1);
  CHECK(plan.places[0].needs[0].controller == "hugetlb");
}

TEST_CASE("a limit whose controller is nowhere is an error that names both") {
  Limits limits;
  limits.pids_max = 10;
  for (const auto& machine : {kV1, kNone}) {
    const auto error = error_of([&] { plan_as_root(machine, limits); });
    CHECK(error.errno_value() == ENOENT);
    CHECK(error.message().find("number of processes") != std::string::npos);
    CHECK(error.message().find("controller pids") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("device rules use v1 where it is, and eBPF where it is not") {
  const auto hybrid = plan_as_root(kHybrid, with_devices({kNull}));
  CHECK(bases(hybrid) == Paths{"/sys/fs/cgroup/devices"});
  CHECK(hybrid.device_policy);
  const auto pure = plan_as_root(kPure, with_devices({kNull}));
  CHECK(bases(pure) == Paths{"/sys/fs/cgroup"});
  CHECK_FALSE(pure.device_policy);
  CHECK(pure.places[0].needs.empty());
}

TEST_CASE("rules that v1 cannot hold use eBPF on a hybrid machine and are an error on v1 alone") {
  DeviceRule all{.allow = true, .type = 'c', .major = 1, .minor = {}, .access = "rwm"};
  DeviceRule but{.allow = false, .type = 'c', .major = 1, .minor = 3, .access = "rwm"};
  CHECK(bases(plan_as_root(kHybrid, with_devices({all, but}))) == Paths{"/sys/fs/cgroup/unified"});
  CHECK(error_of([&] { plan_as_root(kV1, with_devices({all, but})); }).errno_value() == ENOTSUP);
}

TEST_CASE("rules that allow everything touch no hierarchy") {
  CHECK(plan_as_root(kHybrid, with_devices({{.allow = true}})).places.empty());
}

TEST_CASE("a machine that cannot control devices does not pass over the rules") {
  CHECK(error_of([&] { plan_as_root(kNone, with_devices({kNull})); }).errno_value() == ENOENT);
}

TEST_CASE("a cpuset that shares its hierarchy is filled, since no process can join an empty one") {
  Limits limits;
  limits.cpu_shares = 100;
  const auto plan = plan_as_root(kHybrid, limits);
  REQUIRE(plan.places.size() == 1);
  REQUIRE(plan.places[0].controllers.size() == 2);
  CHECK(plan.places[0].controllers[1]->v1_name == "cpuset");
}

TEST_CASE("files of version 2 are an error where there is none") {
  Limits limits;
  limits.unified = {{"memory.high", "1000000"}};
  CHECK(error_of([&] { plan_as_root(kV1, limits); }).message().find("memory.high") != std::string::npos);
  const auto plan = plan_as_root(kPure, limits);
  REQUIRE(plan.places.size() == 1);
  CHECK(plan.places[0].needs[0].controller == "memory");
}

TEST_CASE("without root, device rules are passed over") {
  CHECK(plan_without_privilege(kHybrid, with_devices({kNull}), std::nullopt).places.empty());
  CHECK(plan_without_privilege(kPure, with_devices({kNull}), "/sys/fs/cgroup/mine").places.empty());
}

TEST_CASE("without root, a limit on v1 is an error that names the controller and a cure") {
  const auto error = error_of([&] { plan_without_privilege(kHybrid, with_memory(), std::nullopt); });
  CHECK(error.errno_value() == EPERM);
  CHECK(error.message().find("controller memory is on cgroup v1") != std::string::npos);
  CHECK_FALSE(error.hint().empty());
}

TEST_CASE("without root, a limit on v2 goes below the delegated group, or is an error without one") {
  CHECK(bases(plan_without_privilege(kPure, with_memory(), "/sys/fs/cgroup/mine")) ==
        Paths{"/sys/fs/cgroup/mine"});
  const auto error = error_of([&] { plan_without_privilege(kPure, with_memory(), std::nullopt); });
  CHECK(error.message().find("delegated") != std::string::npos);
}

TEST_CASE("limits that contradict each other are refused before anything is made") {
  auto limits = with_memory();
  limits.memory_swap_bytes = 1'000;
  CHECK_THROWS_AS(check_limits(limits), Error);
  limits.memory_swap_bytes = -1;
  CHECK_NOTHROW(check_limits(limits));
}

TEST_CASE("no limit can name a file outside the group") {
  for (const auto* size : {"", "2MB/../../x", ".", "2MB.max\n"}) {
    Limits limits;
    limits.hugepages = {{.page_size = size, .bytes = 1}};
    CHECK_THROWS_AS(check_limits(limits), Error);
  }
  for (const auto* file : {"", "memory", "../memory.max", ".hidden", "a/b.c"}) {
    Limits limits;
    limits.unified = {{file, "1"}};
    CHECK_THROWS_AS(check_limits(limits), Error);
  }
}
