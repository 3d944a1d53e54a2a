#include "runtime/policy/isolation_policy.h"

#include <catch2/catch.hpp>

#include <string>

#include "base/error.h"

using namespace trine::runtime::policy;

namespace {

constexpr const char* kKey = "SHA256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

IsolationPolicy parse(const std::string& text, const std::string& file = "p.json") {
  IsolationPolicy policy;
  add_rules(text, file, policy);
  return policy;
}

/// A rule with this match.
Match match(const std::string& text) {
  return parse(R"({"rules": [{"class": "vm", "match": )" + text + "}]}").rules.front().match;
}

std::string fault(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const trine::base::Error& error) {
    return error.what();
  }
  return "";
}

std::string fault_of_match(const std::string& text) {
  return fault(R"({"rules": [{"class": "vm", "match": )" + text + "}]}");
}

Workload workload() {
  return {.asked = "web",
          .images = {"registry.example/team/web:2"},
          .digest = "sha256:" + std::string(64, 'a'),
          .signers = {},
          .user_id = 1000,
          .user = "alice",
          .privileges = {},
          .labels = {{"tier", "front-end"}}};
}

}  // namespace

TEST_CASE("an isolation policy that can be read in two ways, or says what is not known, is refused") {
  struct Case {
    const char* text;
    const char* fault;
  };
  const Case cases[] = {
      {"", "the isolation policy p.json is no JSON"},
      {"{\n\"rules\": [\n}", "the isolation policy p.json is no JSON: line 3"},
      {"[]", "p.json: $ is no object"},
      {R"({"rule": []})", "p.json: $ has the unknown key .rule"},
      {R"({"rules": [], "rules": []})", "has the key .rules twice"},
      {R"({"rules": {}})", "$.rules is no list"},
      {R"({"default": "none"})", "$.default is none of auto, container, vm, full"},
      {R"({"default": null})", "$.default is no text"},
      {R"({"rules": [{}]})", "$.rules[0] has no class"},
      {R"({"rules": [{"class": "VM"}]})", "$.rules[0].class is none of container, vm, full"},
      {R"({"rules": [{"class": "auto"}]})", "$.rules[0].class is none of"},
      {R"({"rules": [{"class": "vm", "enforced": true}]})", "$.rules[0] has the unknown key .enforced"},
      {R"({"rules": [{"class": "vm", "enforce": "true"}]})", "$.rules[0].enforce is neither true nor false"},
      {R"({"rules": [{"class": "vm", "enforce": 1}]})", "$.rules[0].enforce is neither true nor false"},
      {R"({"rules": [{"class": "vm", "reason": ""}]})", "$.rules[0].reason is empty"},
      {R"({"rules": [{"class": "vm"}, {"class": "vm", "match": []}]})", "$.rules[1].match is no object"},
      {"{\"default\": \"auto\\u0000\"}", "has a NUL byte"},
      {"{\"rules\": [{\"class\": \"\xff\"}]}", "is no JSON"},
      {"{\"rules\": [1e999]}", "is no JSON"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(fault(one.text).find(one.fault) != std::string::npos);
    CHECK(fault(one.text).find("p.json") != std::string::npos);
  }
  CHECK(fault(std::string(100'000, '[')).find("nested deeper") != std::string::npos);
  CHECK(fault(std::string(kMaxFile + 1, ' ')).find("is larger than") != std::string::npos);
}

TEST_CASE("a match that could never hold, or means less than it seems to, is refused") {
  struct Case {
    const char* text;
    const char* fault;
  };
  const Case cases[] = {
      {R"({"images": "*"})", "has the unknown key .images"},
      {R"({"image": ""})", "$.rules[0].match.image is empty"},
      {R"({"image": []})", "$.rules[0].match.image is empty, and so fits nothing"},
      {R"({"image": "debian"})", "names no registry"},
      {R"({"image": "debian:*"})", "names no registry"},
      {R"({"image": "library/debian"})", "names no registry"},
      {R"({"image": ["*", "team/*"]})", "$.rules[0].match.image[1] names no registry"},
      {R"({"image": "quay.io/Team/*"})", "has capital letters"},
      {R"({"image": "oci:web"})", "has no absolute path"},
      {R"({"image": "oci:/srv/../web"})", "in its path"},
      {R"({"image": 7})", "$.rules[0].match.image is no text"},
      {R"({"digest": "sha256:abc"})", "is not sha256: and 64 hexadecimal digits"},
      {R"({"signer": "sha256:abc"})", "is not SHA256: and 64 hexadecimal digits"},
      {R"({"signed": "yes"})", "$.rules[0].match.signed is neither true nor false"},
      {R"({"user": ""})", "$.rules[0].match.user is empty"},
      {R"({"user": "a*"})", "is no name or number of a user"},
      {R"({"privileges": "root"})", "is none of any, none, capability:NAME, privileged"},
      {R"({"privileges": "capability:SYS_ADM"})", "names no capability"},
      {R"({"labels": {}})", "$.rules[0].match.labels is empty"},
      {R"({"labels": {"a b": 1}})", R"($.rules[0].match.labels["a b"] is no text)"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(fault_of_match(one.text).find(one.fault) != std::string::npos);
  }
  CHECK(fault_of_match(R"({"signed": false, "signer": ")" + std::string(kKey) + "\"}").find("unsigned") !=
        std::string::npos);
}

TEST_CASE("patterns fit images by their names in full") {
  struct Case {
    const char* pattern;
    const char* image;
    bool fits;
  };
  const Case cases[] = {
      {"docker.io/library/debian", "docker.io/library/debian:12", true},
      {"docker.io/library/debian", "docker.io/library/debian:latest", true},
      {"docker.io/library/debian:12", "docker.io/library/debian:12", true},
      {"docker.io/library/debian:12", "docker.io/library/debian:13", false},
      {"docker.io/library/debian", "docker.io/library/debian-evil:12", false},
      {"docker.io/library/*", "docker.io/library/debian:12", true},
      {"docker.io/library/*", "docker.io/other/debian:12", false},
      {"docker.io/*", "docker.io/library/debian:12", true},
      {"docker.io*", "docker.io/library/debian:12", true},
      {"*", "bundle:/b", true},
      {"*", "registry.example/web:1", true},
      {"*/team/*", "registry.example/team/web:2", true},
      {"registry.example:5000/web", "registry.example:5000/web:1", true},
      {"registry.example:5000/web", "registry.example/web:1", false},
      {"localhost:5000/web", "localhost:5000/web@sha256:00", true},
      {"registry.example/web:?.*", "registry.example/web:1.22", true},
      {"registry.example/web:?.*", "registry.example/web:12", false},
      {"registry.example/web:V1", "registry.example/web:V1", true},
      {"oci:/srv/*", "oci:/srv/web:1", true},
      {"oci:/srv/web", "oci:/srv/web:1", false},
      {"oci:/srv/*", "oci-archive:/srv/web", false},
      {"registry.example/w***b", "registry.example/web:1", true},
      {"registry.example/*b*b*b", "registry.example/aabaab:1", false},
  };
  for (const Case& one : cases) {
    INFO(one.pattern << " and " << one.image);
    Workload given = workload();
    given.images = {one.image};
    CHECK(match(R"({"image": ")" + std::string(one.pattern) + "\"}").fits(given) == one.fits);
  }
}

TEST_CASE("all that a match says must hold, and of a list one entry") {
  const Workload given = workload();
  CHECK(match("{}").fits(given));
  CHECK(match(R"({"user": "alice"})").fits(given));
  CHECK(match(R"({"user": ["bob", "1000"]})").fits(given));
  CHECK_FALSE(match(R"({"user": ["bob", "0"]})").fits(given));
  CHECK(match(R"({"user": "alice", "labels": {"tier": "front-*"}})").fits(given));
  CHECK_FALSE(match(R"({"user": "bob", "labels": {"tier": "front-*"}})").fits(given));
  CHECK_FALSE(match(R"({"labels": {"tier": "*", "team": "*"}})").fits(given));
  CHECK(match(R"({"digest": "sha256:)" + std::string(64, 'a') + "\"}").fits(given));
  CHECK_FALSE(match(R"({"digest": "sha256:)" + std::string(64, 'b') + "\"}").fits(given));
}

TEST_CASE("what is not known of a workload fits no rule that asks for it") {
  const Workload unknown{.asked = "web"};
  CHECK_FALSE(match(R"({"image": "*"})").fits(unknown));
  CHECK_FALSE(match(R"({"digest": "sha256:)" + std::string(64, 'a') + "\"}").fits(unknown));
  CHECK_FALSE(match(R"({"signed": true})").fits(unknown));
  CHECK(match(R"({"signed": false})").fits(unknown));
  CHECK(match(R"({"user": "0"})").fits(unknown));
}

TEST_CASE("signed means that a key's signature was verified") {
  Workload given = workload();
  CHECK(match(R"({"signed": false})").fits(given));
  CHECK_FALSE(match(R"({"signed": true})").fits(given));
  given.signers = {kKey};
  CHECK(match(R"({"signed": true})").fits(given));
  CHECK_FALSE(match(R"({"signed": false})").fits(given));
  CHECK(match(R"({"signer": ")" + std::string(kKey) + "\"}").fits(given));
  CHECK_FALSE(match(R"({"signer": "SHA256:)" + std::string(64, 'f') + "\"}").fits(given));
}

TEST_CASE("privileges fit by kind and by name") {
  Workload given = workload();
  const auto fits = [&](const std::string& privilege) {
    return match(R"({"privileges": ")" + privilege + "\"}").fits(given);
  };
  CHECK(fits("none"));
  CHECK_FALSE(fits("any"));
  CHECK_FALSE(fits("privileged"));
  given.privileges = {"capability", "capability:NET_ADMIN"};
  CHECK_FALSE(fits("none"));
  CHECK(fits("any"));
  CHECK(fits("capability"));
  CHECK(fits("capability:net_admin"));
  CHECK(fits("capability:CAP_NET_ADMIN"));
  CHECK_FALSE(fits("capability:SYS_ADMIN"));
  CHECK_FALSE(fits("host-network"));
  given.privileges = {"capability", "capability:ALL"};
  CHECK(fits("capability:SYS_ADMIN"));
  CHECK_FALSE(fits("device"));
  given.privileges = {};
  given.any_privilege = true;
  CHECK(fits("device"));
  CHECK(fits("capability:SYS_ADMIN"));
  CHECK(fits("any"));
  CHECK_FALSE(fits("none"));
}

namespace {

/// What comes out: the class, or "refused".
std::string outcome(const std::vector<IsolationPolicy>& policies, Request request) {
  try {
    return std::string(class_name(decide(policies, workload(), request).isolation));
  } catch (const trine::base::Error&) {
    return "refused";
  }
}

}  // namespace

TEST_CASE("the class by policy and flag") {
  struct Case {
    const char* text;
    const char* unsaid;
    const char* by_auto;
    const char* container;
    const char* vm;
  };
  const Case cases[] = {
      {"{}", "container", "container", "container", "vm"},
      {R"({"default": "container"})", "container", "container", "container", "vm"},
      {R"({"default": "vm"})", "vm", "vm", "container", "vm"},
      {R"({"default": "full"})", "full", "full", "container", "vm"},
      {R"({"default": "auto"})", "container", "container", "container", "vm"},
      // What only says what is fitting holds for auto.
      {R"({"rules": [{"class": "vm"}]})", "container", "vm", "container", "vm"},
      {R"({"default": "auto", "rules": [{"class": "vm"}]})", "vm", "vm", "container", "vm"},
      {R"({"default": "vm", "rules": [{"class": "container"}]})", "vm", "container", "container", "vm"},
      // A demand holds always, and is a lower bound.
      {R"({"rules": [{"class": "vm", "enforce": true}]})", "vm", "vm", "refused", "vm"},
      {R"({"rules": [{"class": "full", "enforce": true}]})", "full", "full", "refused", "refused"},
      {R"({"default": "full", "rules": [{"class": "vm", "enforce": true}]})", "full", "vm", "refused", "vm"},
      {R"({"rules": [{"class": "container", "enforce": true}]})", "container", "container", "container",
       "vm"},
      // The first that fits decides.
      {R"({"rules": [{"class": "container", "match": {"user": "alice"}}, {"class": "vm", "enforce": true}]})",
       "container", "container", "container", "vm"},
      {R"({"rules": [{"class": "container", "match": {"user": "bob"}}, {"class": "vm", "enforce": true}]})",
       "vm", "vm", "refused", "vm"},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    const std::vector<IsolationPolicy> policies{parse(one.text)};
    CHECK(outcome(policies, Request::kUnsaid) == one.unsaid);
    CHECK(outcome(policies, Request::kAuto) == one.by_auto);
    CHECK(outcome(policies, Request::kContainer) == one.container);
    CHECK(outcome(policies, Request::kVm) == one.vm);
  }
  CHECK(outcome({}, Request::kUnsaid) == "container");
  CHECK(outcome({}, Request::kAuto) == "container");
  CHECK(outcome({}, Request::kVm) == "vm");
}

TEST_CASE("a further policy only adds to the first") {
  const auto demand = parse(R"({"rules": [{"class": "vm", "enforce": true}]})", "system.json");
  const auto weaker =
      parse(R"({"default": "container", "rules": [{"class": "container", "enforce": true}]})");
  const auto automatic = parse(R"({"default": "auto"})");
  const auto fitting = parse(R"({"rules": [{"class": "vm"}]})");
  const auto standard = parse(R"({"default": "vm"})");
  CHECK(outcome({demand, weaker}, Request::kContainer) == "refused");
  CHECK(outcome({demand, weaker}, Request::kUnsaid) == "vm");
  CHECK(outcome({weaker, demand}, Request::kContainer) == "refused");
  CHECK(outcome({standard, weaker}, Request::kUnsaid) == "vm");
  CHECK(outcome({standard, automatic}, Request::kUnsaid) == "vm");
  CHECK(outcome({fitting, automatic}, Request::kUnsaid) == "vm");
  CHECK(outcome({fitting, weaker}, Request::kUnsaid) == "container");
}

TEST_CASE("files add up in order, and the first default stays") {
  IsolationPolicy policy;
  add_rules(R"({"rules": [{"class": "container", "match": {"user": "alice"}, "reason": "known"}]})",
            "10.json", policy);
  add_rules(R"({"default": "auto", "rules": [{"class": "vm", "enforce": true}]})", "20.json", policy);
  add_rules(R"({"default": "container"})", "30.json", policy);
  const Decision known = decide({policy}, workload(), Request::kUnsaid);
  CHECK(known.isolation == Class::kContainer);
  CHECK(known.place == "10.json: $.rules[0]");
  CHECK(known.reason == "known");
  CHECK_FALSE(known.enforced);
  Workload other = workload();
  other.user = "bob";
  const Decision demanded = decide({policy}, other, Request::kUnsaid);
  CHECK(demanded.isolation == Class::kVm);
  CHECK(demanded.place == "20.json: $.rules[0]");
  CHECK(demanded.enforced);
  CHECK(policy.standard->place == "20.json: $.default");
}

TEST_CASE("a refusal names image, flag, rule, reason and cure") {
  const auto policy = parse(R"({"rules": [{"class": "vm", "enforce": true, "reason": "strangers"}]})");
  try {
    (void)decide({policy}, workload(), Request::kContainer);
    FAIL("it was allowed");
  } catch (const trine::base::Error& error) {
    CHECK(std::string(error.what()) ==
          "cannot run web with --isolation container: the isolation policy demands vm (p.json: $.rules[0]): "
          "strangers");
    CHECK(error.hint() == "run it with --isolation vm or auto, or have that rule changed");
  }
}
