#include "runtime/engine/image_spec.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/error.h"

using namespace trine;
using namespace trine::runtime::engine;

namespace {

images::ImageConfig image() {
  images::ImageConfig config;
  config.env = {"PATH=/image", "A=image"};
  config.entrypoint = {"/entry"};
  config.cmd = {"image", "arguments"};
  config.working_dir = "/work";
  config.user = "web";
  return config;
}

ImageSpec make(const RunOptions& options) {
  return make_image_spec(image(), options, "box");
}

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

}  // namespace

TEST_CASE("the image's configuration holds where nothing else is said") {
  const auto made = make({});
  CHECK(made.spec.process.args == std::vector<std::string>{"/entry", "image", "arguments"});
  CHECK(made.spec.process.cwd == "/work");
  CHECK(made.user == "web");
  CHECK(has(made.spec.process.env, "A=image"));
  CHECK(has(made.spec.process.env, "HOSTNAME=box"));
  CHECK(made.default_seccomp);
}

TEST_CASE("a command replaces Cmd and keeps Entrypoint; an entrypoint replaces both") {
  CHECK(make({.command = {"mine"}}).spec.process.args == std::vector<std::string>{"/entry", "mine"});
  CHECK(make({.entrypoint = "new"}).spec.process.args == std::vector<std::string>{"new"});
  CHECK(make({.command = {"mine"}, .entrypoint = ""}).spec.process.args == std::vector<std::string>{"mine"});
  CHECK_THROWS_AS(make({.entrypoint = ""}), base::Error);
}

TEST_CASE("the user's variables win, one of a name") {
  const auto env = make({.env = {"A=mine", "B=2"}}).spec.process.env;
  CHECK(has(env, "A=mine"));
  CHECK_FALSE(has(env, "A=image"));
  CHECK(has(env, "PATH=/image"));
}

TEST_CASE("capabilities are added to and dropped from the fourteen") {
  const auto bounding = [](const RunOptions& options) {
    return make(options).spec.process.capabilities->bounding;
  };
  CHECK(bounding({}).size() == 14);
  CHECK(has(bounding({.cap_add = {"net_admin"}}), "CAP_NET_ADMIN"));
  CHECK(bounding({.cap_drop = {"ALL"}}).empty());
  CHECK(bounding({.cap_add = {"CHOWN"}, .cap_drop = {"all"}}) == std::vector<std::string>{"CAP_CHOWN"});
  CHECK_THROWS_AS(bounding({.cap_add = {"NOPE"}}), base::Error);
}

TEST_CASE("only root begins with effective capabilities") {
  CHECK(make({}).spec.process.capabilities->effective.empty());
  CHECK(make({.user = "0"}).spec.process.capabilities->effective.size() == 14);
}

TEST_CASE("memory alone comes with as much swap again, as a default and not as a wish") {
  RunOptions options;
  options.limits.memory_bytes = 64 << 20;
  const auto made = make(options);
  CHECK(made.spec.linux_part.resources.memory.limit == 64 << 20);
  CHECK(made.spec.linux_part.resources.memory.swap == 128 << 20);
  CHECK(made.swap_is_default);
  options.limits.memory_bytes = std::numeric_limits<std::int64_t>::max();
  CHECK(make(options).spec.linux_part.resources.memory.swap == -1);
}

TEST_CASE("a swap limit that was given is kept, and without a memory limit there is none") {
  RunOptions options;
  CHECK_FALSE(make(options).spec.linux_part.resources.memory.swap);
  CHECK_FALSE(make(options).swap_is_default);
  options.limits.memory_bytes = 64 << 20;
  for (const std::int64_t given : {std::int64_t{-1}, std::int64_t{64 << 20}, std::int64_t{96 << 20}}) {
    options.limits.memory_swap_bytes = given;
    CHECK(make(options).spec.linux_part.resources.memory.swap == given);
    CHECK_FALSE(make(options).swap_is_default);
  }
}

TEST_CASE("privileged hides nothing and filters nothing") {
  const auto made = make({.privileged = true});
  CHECK(made.spec.linux_part.masked_paths.empty());
  CHECK(made.spec.linux_part.readonly_paths.empty());
  CHECK_FALSE(made.default_seccomp);
}

TEST_CASE("a mount on a place takes that place over") {
  VolumeMount volume{.source = "/host", .target = "/dev/shm"};
  const auto made = make({.mounts = {volume}});
  CHECK(std::ranges::count(made.spec.mounts, "/dev/shm", &trine::runtime::oci::Mount::destination) == 1);
}
