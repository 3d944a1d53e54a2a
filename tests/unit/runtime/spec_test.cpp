#include "runtime/oci/spec.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runtime/backend/plan.h"
#include "runtime/oci/default_spec.h"

using namespace trine;
using namespace trine::runtime;

namespace {

std::string config(const std::string& process, const std::string& rest = "") {
  return R"({"ociVersion": "1.2.0", "process": )" + process +
         R"(, "linux": {"namespaces": [{"type": "mount"}]})" + rest + "}";
}
const std::string kProcess = R"({"args": ["/bin/true"], "cwd": "/"})";

std::string error_of(const std::string& json) {
  try {
    validate(oci::parse_spec(json));
  } catch (const base::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the least configuration is taken") {
  CHECK(error_of(config(kProcess)).empty());
}

TEST_CASE("an ill-typed field is named by its path") {
  CHECK(error_of(config(R"({"args": ["a", 7], "cwd": "/"})")) ==
        "config.json: process.args[1] must be a string, not number");
  CHECK(error_of(config(R"({"args": "a", "cwd": "/"})")).find("process.args must be an array") !=
        std::string::npos);
  CHECK(error_of(config(R"({"args": ["a"], "cwd": "/", "user": {"uid": 4294967296}})"))
            .find("process.user.uid must be between") != std::string::npos);
  CHECK(error_of(config(R"({"args": ["a"], "cwd": "/", "user": {"uid": -1}})"))
            .find("process.user.uid must be between") != std::string::npos);
  CHECK(error_of(config(R"({"args": ["a"]})")).find("'cwd' is missing") != std::string::npos);
}

TEST_CASE("unknown fields are ignored") {
  CHECK(error_of(config(kProcess, R"(, "future": {"x": 1})")).empty());
}

TEST_CASE("no processes are no limit before 1.3, and a limit since then") {
  const auto limit_of = [](const std::string& version, const std::string& limit) {
    return oci::parse_spec(R"({"ociVersion": ")" + version + R"(", "process": )" + kProcess +
                           R"(, "linux": {"resources": {"pids": {"limit": )" + limit + "}}}}")
        .linux_part.resources.pids_limit;
  };
  CHECK(limit_of("1.0.2-dev", "0") == std::nullopt);
  CHECK(limit_of("1.2.1", "0") == std::nullopt);
  CHECK(limit_of("1.2.1", "-1") == -1);
  CHECK(limit_of("1.2.1", "7") == 7);
  CHECK(limit_of("1.3.0", "0") == 0);
  CHECK(limit_of("1.10.0", "0") == 0);
}

TEST_CASE("hooks of all six stages are read") {
  const auto spec = oci::parse_spec(config(kProcess, R"(, "hooks": {
    "prestart": [{"path": "/a", "args": ["a", "b"], "env": ["X=1"], "timeout": 3}],
    "createRuntime": [{"path": "/b"}], "createContainer": [{"path": "/c"}], "startContainer": [{"path": "/d"}],
    "poststart": [{"path": "/e"}, {"path": "/f"}], "poststop": [{"path": "/g"}], "unknown": 7})"));
  REQUIRE(spec.hooks.prestart.size() == 1);
  CHECK(spec.hooks.prestart[0].args == std::vector<std::string>{"a", "b"});
  CHECK(spec.hooks.prestart[0].env == std::vector<std::string>{"X=1"});
  CHECK(spec.hooks.prestart[0].timeout == 3);
  CHECK(spec.hooks.create_runtime.at(0).path == "/b");
  CHECK(spec.hooks.create_container.at(0).path == "/c");
  CHECK(spec.hooks.start_container.at(0).path == "/d");
  CHECK(spec.hooks.poststart.at(1).path == "/f");
  CHECK(spec.hooks.poststop.at(0).path == "/g");
}

TEST_CASE("a hook needs an absolute path and a timeout above 0") {
  CHECK(error_of(config(kProcess, R"(, "hooks": {"poststop": [{"path": "/a"}, {"path": "true"}]})")) ==
        "config.json: hooks.poststop[1].path 'true' is not an absolute path");
  CHECK(error_of(config(kProcess, R"(, "hooks": {"prestart": [{"path": "/a", "timeout": 0}]})"))
            .starts_with("config.json: hooks.prestart[0].timeout must be above 0"));
  CHECK(error_of(config(kProcess, R"(, "hooks": {"prestart": [{"args": []}]})")) ==
        "config.json: hooks.prestart[0]: 'path' is missing");
  CHECK(error_of(config(kProcess, R"(, "hooks": {"prestart": {"path": "/a"}})")) ==
        "config.json: hooks.prestart must be an array, not object");
}

TEST_CASE("a process and resources are read by themselves") {
  CHECK(oci::parse_process(kProcess).args == std::vector<std::string>{"/bin/true"});
  CHECK_THROWS_WITH(oci::parse_process(R"({"args": [1], "cwd": "/"})"),
                    "process.json: args[0] must be a string, not number");
  CHECK(oci::parse_resources(R"({"memory": {"limit": 5}})").memory.limit == 5);
  CHECK_THROWS_WITH(oci::parse_resources(R"({"pids": 5})"),
                    "resources.json: pids must be an object, not number");
}

TEST_CASE("what does not fit together is refused") {
  const auto with = [](const std::string& part) {
    return R"({"ociVersion": "1.2.0", "process": )" + kProcess + R"(, "linux": )" + part + "}";
  };
  CHECK_FALSE(error_of(with(R"({"namespaces": [{"type": "mount"}, {"type": "mount"}]})")).empty());
  CHECK_FALSE(error_of(with(R"({"namespaces": [{"type": "mount"}], "sysctl": {"net.ipv4.ip_forward": "1"}})"))
                  .empty());
  CHECK_FALSE(
      error_of(
          with(
              R"({"namespaces": [{"type": "mount"}, {"type": "network"}], "sysctl": {"kernel.panic": "1"}})"))
          .empty());
  CHECK(
      error_of(
          with(
              R"({"namespaces": [{"type": "mount"}, {"type": "network"}], "sysctl": {"net.ipv4.ip_forward": "1"}})"))
          .empty());
}

TEST_CASE("text that is no JSON is an error with its place") {
  CHECK(error_of("{\n\"a\": }").find("line 2") != std::string::npos);
  CHECK_FALSE(error_of(std::string(100, '[')).empty());
  CHECK_FALSE(error_of("\xff\xfe").empty());
}

TEST_CASE("the default specification becomes a plan with every namespace but the user's") {
  auto spec = oci::default_spec();
  spec.process.args = {"true"};
  validate(spec);
  const auto plan = backend::make_plan(spec, "/bundle");
  CHECK(plan.isolation.namespaces.size() == 6);
  CHECK(plan.isolation.devices.size() == 6);
  CHECK_FALSE(plan.limits.devices.empty());
}

TEST_CASE("relative paths begin at the bundle") {
  auto spec = oci::default_spec();
  spec.process.args = {"true"};
  spec.mounts.push_back({"/data", "bind", "data", {"rbind", "ro"}});
  const auto plan = backend::make_plan(spec, "/bundle");
  CHECK(std::get<isolation::DirectoryRoot>(plan.isolation.root.source).path == "/bundle/rootfs");
  CHECK(plan.isolation.mounts.back().source == "/bundle/data");
  CHECK(plan.isolation.mounts.back().recursive);
}
