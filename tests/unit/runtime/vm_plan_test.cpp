#include <catch2/catch.hpp>

#include "backend/vm_plan_codec.h"

using namespace trine;
using runtime::backend::GuestPlan;

namespace {

GuestPlan sample() {
  GuestPlan plan;
  plan.isolation_part.hostname = "box";
  plan.isolation_part.root = {.source = isolation::OverlayRoot{.lower = {"/a", "/b"}, .discard = true},
                              .read_only = true};
  plan.isolation_part.mounts = {{.destination = "/t", .type = "tmpfs", .data = "size=1m"}};
  plan.isolation_part.seccomp = isolation::SeccompFilter{.program = std::string("\0\1", 2)};
  plan.isolation_part.process.args = {"sh", "-c", "true"};
  plan.isolation_part.process.user.additional_gids = {1, 2};
  plan.isolation_part.process.capabilities.bounding = 0xa80425fb;
  plan.limits.pids_max = 100;
  plan.limits.devices = {{.allow = true, .type = 'c', .major = 1}};
  return plan;
}

}  // namespace

TEST_CASE("a plan reaches the agent as it was made") {
  const auto plan = hvm::wire::decode<GuestPlan>(hvm::wire::encode(sample()));
  REQUIRE(plan);
  const isolation::Plan& part = plan->isolation_part;
  CHECK(part.hostname == "box");
  CHECK(std::get<isolation::OverlayRoot>(part.root.source).lower == std::vector<std::string>{"/a", "/b"});
  CHECK(std::get<isolation::OverlayRoot>(part.root.source).discard);
  CHECK(part.root.read_only);
  REQUIRE(part.mounts.size() == 1);
  CHECK(part.mounts.front().data == "size=1m");
  CHECK(part.seccomp->program == std::string("\0\1", 2));
  CHECK(part.process.args.size() == 3);
  CHECK(part.process.user.additional_gids == std::vector<gid_t>{1, 2});
  CHECK(part.process.capabilities.bounding == 0xa80425fb);
  CHECK(plan->limits.pids_max == 100);
  REQUIRE(plan->limits.devices.size() == 1);
  CHECK(plan->limits.devices.front().major == 1U);
  CHECK(!plan->limits.devices.front().minor);
}

TEST_CASE("a plan that is cut anywhere is none") {
  const std::string bytes = hvm::wire::encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!hvm::wire::decode<GuestPlan>(bytes.substr(0, size)));
}
