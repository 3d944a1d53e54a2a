#include "oci-cli/isolation_class.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "base/error.h"

using namespace trine;
using namespace trine::runtime;

namespace {

using Policies = std::vector<policy::IsolationPolicy>;

oci::Spec spec_of(const std::string& rest) {
  return oci::parse_spec(R"({"ociVersion": "1.3.0", "process": {"args": ["a"], "cwd": "/"})" + rest + "}");
}

std::string asks_for(const std::string& value) {
  return R"(, "annotations": {"dev.trine.isolation": ")" + value + "\"}";
}

Policies policies_of(const std::string& text) {
  Policies policies(1);
  policy::add_rules(text, "p.json", policies.front());
  return policies;
}

/// The class' name, or the error.
std::string outcome(const std::string& rest, const Policies& policies = {}) {
  try {
    return std::string(policy::class_name(oci_cli::choose_class(spec_of(rest), "/b", policies)));
  } catch (const base::Error& error) {
    return error.message();
  }
}

bool asks(const std::string& rest, const std::string& privilege) {
  const auto workload = oci_cli::describe_workload(spec_of(rest), "/b");
  return std::ranges::find(workload.privileges, privilege) != workload.privileges.end();
}

}  // namespace

TEST_CASE("without a policy a bundle is what it asks for") {
  CHECK(outcome("") == "container");
  CHECK(outcome(asks_for("container")) == "container");
  CHECK(outcome(asks_for("auto")) == "container");
  CHECK(outcome(asks_for("vm")) == "vm");
  CHECK(outcome(R"(, "vm": {"kernel": {"path": "/k"}})") == "vm");
  CHECK(outcome(asks_for("full")) == "the isolation class full is not built into this version of trine");
  CHECK(outcome(asks_for("VM")) == "the annotation dev.trine.isolation has an unknown value 'VM'");
  CHECK(outcome(asks_for("container") + R"(, "vm": {"kernel": {"path": "/k"}})")
            .starts_with("config.json: vm asks for a VM"));
}

TEST_CASE("a rule that demands a VM has it, and no annotation weakens it") {
  const auto demand = policies_of(R"({"rules": [{"class": "vm", "enforce": true, "reason": "r"}]})");
  CHECK(outcome("", demand) == "vm");
  CHECK(outcome(asks_for("auto"), demand) == "vm");
  CHECK(outcome(asks_for("vm"), demand) == "vm");
  CHECK(outcome(asks_for("container"), demand) ==
        "cannot make a container of bundle /b, as it asks: the isolation policy demands vm (p.json: "
        "$.rules[0]): r");
  const auto full = policies_of(R"({"rules": [{"class": "full", "enforce": true}]})");
  CHECK(outcome(asks_for("vm"), full)
            .starts_with("cannot make a vm of bundle /b, as it asks: the isolation policy demands full"));
  CHECK(outcome("", full).find("not built into this version") != std::string::npos);
}

TEST_CASE("a rule that demands nothing, and the default, decide what is not said") {
  const auto fitting = policies_of(R"({"rules": [{"class": "vm"}]})");
  CHECK(outcome("", fitting) == "container");
  CHECK(outcome(asks_for("auto"), fitting) == "vm");
  CHECK(outcome("", policies_of(R"({"default": "vm", "rules": []})")) == "vm");
  CHECK(outcome(asks_for("container"), policies_of(R"({"default": "vm", "rules": []})")) == "container");
}

TEST_CASE("annotations are labels") {
  const auto demand = policies_of(
      R"({"rules": [{"class": "vm", "enforce": true, "match": {"labels": {"io.kubernetes.cri.sandbox-namespace": "guest-*"}}}]})");
  CHECK(outcome("", demand) == "container");
  CHECK(outcome(R"(, "annotations": {"io.kubernetes.cri.sandbox-namespace": "guest-1"})", demand) == "vm");
}

TEST_CASE("privileges are told from the configuration") {
  const std::string own_network = R"(, "linux": {"namespaces": [{"type": "network"}])";
  CHECK(asks("", "host-network"));
  CHECK_FALSE(asks(own_network + "}", "host-network"));
  CHECK(asks(R"(, "linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/net"}]})",
             "host-network"));
  CHECK(asks(R"(, "linux": {"namespaces": [{"type": "network", "path": "/nowhere"}]})", "container-network"));
  CHECK_FALSE(asks(own_network + "}", "container-network"));
  CHECK(asks("", "seccomp"));
  CHECK_FALSE(asks(own_network + R"(, "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}})", "seccomp"));
  CHECK(asks(own_network + R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}})", "seccomp"));
  CHECK(asks(own_network + R"(, "sysctl": {"net.x": "1"}})", "sysctl"));
  CHECK(asks(R"(, "mounts": [{"destination": "/a", "source": "/b", "options": ["rbind"]}])", "bind"));
  CHECK_FALSE(asks(R"(, "mounts": [{"destination": "/a", "type": "tmpfs"}])", "bind"));
  CHECK(asks(own_network + R"(, "devices": [{"type": "c", "path": "/dev/x"}]})", "device"));
  CHECK(asks(own_network + R"(, "resources": {"devices": [{"allow": true, "access": "rwm"}]}})", "device"));
  CHECK_FALSE(asks(
      own_network +
          R"(, "resources": {"devices": [{"allow": true, "type": "c", "access": "m"}, {"allow": false}]}})",
      "device"));
}

TEST_CASE("capabilities beyond the ordinary are asked for") {
  const auto with = [](const std::string& names) {
    return R"(, "process": {"args": ["a"], "cwd": "/", "capabilities": {"bounding": [)" + names + "]}}";
  };
  const auto asked = [&](const std::string& names, const std::string& privilege) {
    const auto spec = oci::parse_spec(R"({"ociVersion": "1.3.0")" + with(names) + "}");
    const auto workload = oci_cli::describe_workload(spec, "/b");
    return std::ranges::find(workload.privileges, privilege) != workload.privileges.end();
  };
  CHECK_FALSE(asked(R"("CAP_CHOWN", "CAP_KILL")", "capability"));
  CHECK(asked(R"("CAP_CHOWN", "CAP_SYS_ADMIN")", "capability"));
  CHECK(asked(R"("CAP_CHOWN", "CAP_SYS_ADMIN")", "capability:SYS_ADMIN"));
  CHECK_FALSE(asked(R"("CAP_CHOWN", "CAP_SYS_ADMIN")", "capability:CHOWN"));
  CHECK_FALSE(asked(R"("CAP_SYS_ADMIN")", "privileged"));
}
