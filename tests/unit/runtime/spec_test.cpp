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

TEST_CASE("unknown fields are ignored, known ones that cannot be honoured are refused") {
  CHECK(error_of(config(kProcess, R"(, "future": {"x": 1})")).empty());
  CHECK(error_of(config(kProcess, R"(, "hooks": {"prestart": [{"path": "/x"}]})")).find("hooks") !=
        std::string::npos);
  CHECK(error_of(config(kProcess, R"(, "hooks": {})")).empty());
}

TEST_CASE("what does not fit together is refused") {
  const auto with = [](const std::string& part) {
    return R"({"ociVersion": "1.2.0", "process": )" + kProcess + R"(, "linux": )" + part + "}";
  };
  CHECK_FALSE(error_of(with(R"({"namespaces": []})")).empty());
  CHECK_FALSE(error_of(with(R"({"namespaces": [{"type": "mount"}, {"type": "mount"}]})")).empty());
  CHECK_FALSE(error_of(with(R"({"namespaces": [{"type": "mount"}, {"type": "user"}]})")).empty());
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
