#include "policy.h"

#include <catch2/catch.hpp>

#include <cstdlib>

#include "archive_policy.h"
#include "images/run_policy.h"
#include "images/store.h"
#include "payload.h"
#include "policy_parser.h"
#include "scopes.h"
#include "scratch.h"

using namespace trine;
using namespace trine::images;
using Kind = PolicyRequirement::Kind;

namespace {

constexpr const char* kAccept = R"([{"type": "insecureAcceptAnything"}])";

SignaturePolicy policy(const std::string& text) {
  return SignaturePolicy::parse(text, "policy.json");
}
/// What is said of a policy that is refused; empty when it is not.
std::string fault(const std::string& text) {
  try {
    (void)policy(text);
    return {};
  } catch (const base::Error& error) {
    return error.what();
  }
}
std::string with_default(const std::string& requirement) {
  return R"({"default": [)" + requirement + "]}";
}
std::string with_scope(const std::string& transport, const std::string& scope) {
  return std::string(R"({"default": )") + kAccept + R"(, "transports": {")" + transport + R"(": {")" + scope +
         R"(": )" + kAccept + "}}}";
}

/// Where the rules for an image stand, without the file's name.
std::string place(const SignaturePolicy& from, const char* image) {
  const std::string whole = from.for_docker(parse_reference(image)).place;
  return whole.substr(whole.find('$'));
}

}  // namespace

TEST_CASE("the nearest scope's rules hold, and only those") {
  const SignaturePolicy many = policy(R"({"default": [{"type": "reject"}], "transports": {"docker": {
    "": [{"type": "reject"}], "h.example": [{"type": "reject"}], "h.example/team": [{"type": "reject"}],
    "h.example/team/web": [{"type": "reject"}], "h.example/team/web:1": [{"type": "reject"}],
    "h.example:5000": [{"type": "reject"}], "*.example": [{"type": "reject"}], "*.b.example": [{"type": "reject"}],
    "docker.io/library/alpine": [{"type": "reject"}]}, "oci": {}}})");
  struct Row {
    const char* image;
    const char* scope;
  };
  const auto row = GENERATE(values<Row>({
      {"h.example/team/web:1", R"(["h.example/team/web:1"])"},
      {"h.example/team/web:10", R"(["h.example/team/web"])"},
      {"h.example/team/web", R"(["h.example/team/web"])"},
      {"h.example/team/website:1", R"(["h.example/team"])"},
      {"h.example/teams/web:1", R"(["h.example"])"},
      {"h.example:5000/team/web:1", R"(["h.example:5000"])"},
      {"h.example:5001/team/web:1", R"(["*.example"])"},
      {"a.b.example/web", R"(["*.b.example"])"},
      {"c.a.b.example:80/web", R"(["*.b.example"])"},
      {"b.example/web", R"(["*.example"])"},
      {"example.com/web", R"([""])"},
      {"alpine", R"(["docker.io/library/alpine"])"},
      {"alpine/alpine", R"([""])"},
      {"[::1]:5000/web", R"([""])"},
  }));
  CHECK(place(many, row.image) == std::string("$.transports.docker") + row.scope);
}

TEST_CASE("a digest's scope is nearer than the tag's, and a transport without rules has the default's") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const auto scopes = docker_scopes(parse_reference("h.example/web:1@" + digest));
  REQUIRE(scopes.size() > 2);
  CHECK(scopes[0] == "h.example/web@" + digest);
  CHECK(scopes[1] == "h.example/web:1");
  CHECK(place(policy(with_scope("oci", "/srv")), "h.example/web") == "$.default");
}

TEST_CASE("paths are judged by themselves and what is above them") {
  const SignaturePolicy from = policy(R"({"default": [{"type": "reject"}], "transports": {"oci": {
    "/srv/images": [{"type": "insecureAcceptAnything"}], "/srv/images/web:1": [{"type": "reject"}]}}})");
  const auto accepts_path = [&](const char* path, const char* tag) {
    return from.for_path("oci", path, tag).has(Kind::kAccept);
  };
  CHECK(accepts_path("/srv/images", ""));
  CHECK(accepts_path("/srv/images/web", "2"));
  CHECK_FALSE(accepts_path("/srv/images/web", "1"));
  CHECK_FALSE(accepts_path("/srv/imagesque", ""));
  CHECK_FALSE(accepts_path("/srv", ""));
  CHECK(from.for_path("oci-archive", "/srv/images", "").has(Kind::kReject));
}

TEST_CASE("what is not in the format is refused, with the place where it stands") {
  struct Row {
    std::string text;
    const char* said;
  };
  const std::string key = R"("keyPath": "/key")";
  const auto signed_with = [](const std::string& more) {
    return with_default(R"({"type": "sigstoreSigned", "keyPath": "/key", "signedIdentity": )" + more + "}");
  };
  const std::vector<Row> rows{
      {"", "is no JSON"},
      {"[]", "$ is no object"},
      {"{}", "$ has no default"},
      {R"({"default": []})", "$.default is empty"},
      {R"({"default": {}})", "$.default is no list"},
      {R"({"default": [1]})", "$.default[0] is no object"},
      {with_default("{}"), "$.default[0] has no type"},
      {with_default(R"({"type": "Reject"})"), "$.default[0].type is no type of requirement"},
      {with_default(R"({"type": 1})"), "$.default[0].type is no text"},
      {with_default(R"({"type": "reject", "why": 1})"), "$.default[0] has the unknown key .why"},
      {with_default(R"({"type": "reject", "type": "insecureAcceptAnything"})"), ".type twice"},
      {R"({"default": [{"type": "reject"}], "transport": {}})", "$ has the unknown key .transport"},
      {R"({"default": [{"type": "reject"}], "transports": {"dokcer": {}}})",
       "$.transports.dokcer is no transport"},
      {with_scope("docker", "https://h.example"), R"($.transports.docker["https://h.example"] has a scheme)"},
      {with_scope("docker", "a*.example"), "no wildcard"},
      {with_scope("docker", "*.a.*.example"), "no wildcard"},
      {with_scope("docker", "*.example/web"), "no wildcard"},
      {with_scope("oci", "srv"), "no absolute path"},
      {with_scope("oci", "/"), "is the root"},
      {with_scope("dir", "/srv/../etc"), "no path in its shortest form"},
      {with_scope("docker-archive", "/srv//a.tar"), "no path in its shortest form"},
      {with_default(R"({"type": "sigstoreSigned"})"), "not exactly one of"},
      {with_default(R"({"type": "sigstoreSigned", "keyPath": "/a", "keyData": "eA=="})"),
       "not exactly one of"},
      {with_default(R"({"type": "sigstoreSigned", "keyPath": ""})"), "keyPath is empty"},
      {with_default(R"({"type": "sigstoreSigned", "keyPaths": []})"), "keyPaths is empty"},
      {with_default(R"({"type": "sigstoreSigned", "keyData": "eA"})"), "keyData is no base64"},
      {with_default(R"({"type": "sigstoreSigned", "keyDatas": ["eB=="]})"), "keyDatas[0] is no base64"},
      {with_default(R"({"type": "sigstoreSigned", "keyPath": "/key\u0000"})"), "NUL byte"},
      {signed_with("{}"), "signedIdentity has no type"},
      {signed_with(R"({"type": "any"})"), "is no type of signedIdentity"},
      {signed_with(R"({"type": "matchExact", "dockerReference": "a"})"), "unknown key .dockerReference"},
      {signed_with(R"({"type": "exactReference", "dockerReference": "h.example/web"})"),
       "neither tag nor digest"},
      {signed_with(R"({"type": "exactReference", "dockerReference": "H/web:1:2"})"), "is no reference"},
      {signed_with(R"({"type": "exactRepository", "dockerRepository": "h.example/web:1"})"),
       "has a tag or a digest"},
      {signed_with(R"({"type": "remapIdentity", "prefix": "h.example"})"), "has no signedPrefix"},
      {signed_with(R"({"type": "remapIdentity", "prefix": "h.example/a:1", "signedPrefix": "h.example"})"),
       "prefix is no prefix"},
      {signed_with(R"({"type": "remapIdentity", "prefix": "h.example", "signedPrefix": "web"})"),
       "signedPrefix is no prefix"},
      {with_default(R"({"type": "signedBy", "keyType": "GPGKeys", "keyring": "/x"})"),
       "unknown key .keyring"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK_THAT(fault(row.text), Catch::Matchers::Contains(row.said));
  }
  CHECK(fault(with_default(R"({"type": "sigstoreSigned", )" + key + "}")).empty());
}

TEST_CASE("a policy's size, depth and keys are bounded") {
  CHECK_THAT(fault(std::string(kMaxPolicy + 1, ' ')), Catch::Matchers::Contains("larger than"));
  CHECK_THAT(fault(std::string(1000, '[')), Catch::Matchers::Contains("nested deeper"));
  std::string keys;
  for (int i = 0; i < 65; ++i)
    keys += std::string(i == 0 ? "" : ",") + "\"/key\"";
  CHECK_THAT(fault(with_default(R"({"type": "sigstoreSigned", "keyPaths": [)" + keys + "]}")),
             Catch::Matchers::Contains("more than 64 keys"));
}

TEST_CASE("what trine cannot check is refused and never counts as accepted") {
  const auto* const requirement = GENERATE(
      R"({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"})", R"({"type": "signedBaseLayer"})",
      R"({"type": "sigstoreSigned", "fulcio": {}, "rekorPublicKeyPath": "/x"})",
      R"({"type": "sigstoreSigned", "keyPath": "/x", "rekorPublicKeyData": "eA=="})",
      R"({"type": "sigstoreSigned", "keyPath": "/x", "rekorPublicKeyPaths": ["/y"]})",
      R"({"type": "sigstoreSigned", "pki": {}})");
  const SignaturePolicy from =
      policy(with_default(std::string(R"({"type": "insecureAcceptAnything"},)") + requirement));
  const PolicySection& section = from.for_docker(parse_reference("web"));
  CHECK(section.has(Kind::kUnsupported));
  CHECK_THROWS_AS(refuse_outright(section, "cannot pull web"), NotAllowed);
}

TEST_CASE("the user's policy comes before the machine's, and one that is named must be there") {
  const test::Scratch home;
  const char* const before = std::getenv("HOME");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("HOME", home.path().c_str(), 1);
  home.make_directory(".config");
  home.make_directory(".config/containers");
  home.make_file(".config/containers/policy.json", with_default(R"({"type": "reject"})"));
  CHECK(SignaturePolicy::load("").rejects_anything());
  home.make_file(".config/containers/policy.json", "{");
  CHECK_THROWS_AS(SignaturePolicy::load(""), base::Error);
  CHECK_THROWS_AS(SignaturePolicy::load(home.path("none")), base::Error);
  ::setenv("HOME", kept.c_str(), 1);
}

TEST_CASE("archives are judged by where they really are, and have no signatures") {
  const test::Scratch scratch;
  scratch.make_directory("good");
  scratch.make_symlink("link", "good");
  const std::string directory = scratch.path("good");
  const auto load = [&](const std::string& section, const std::string& path) {
    scratch.make_file("policy.json", R"({"default": [{"type": "reject"}], "transports": {"oci": {")" +
                                         directory + "\": [" + section + "]}}}");
    require_loadable(scratch.path("policy.json"), "oci", scratch.path(path), "");
  };
  CHECK_NOTHROW(load(R"({"type": "insecureAcceptAnything"})", "good"));
  CHECK_NOTHROW(load(R"({"type": "insecureAcceptAnything"})", "link"));
  CHECK_THROWS_AS(load(R"({"type": "insecureAcceptAnything"})", ""), NotAllowed);
  CHECK_THROWS_AS(load(R"({"type": "reject"})", "good"), NotAllowed);
  CHECK_THROWS_AS(load(R"({"type": "sigstoreSigned", "keyPath": "/key"})", "good"), NotAllowed);
}

TEST_CASE("a stored image without a name is run only where registries' images are by default") {
  const test::Scratch scratch;
  const Store store(scratch.path(), "");
  Image image;
  image.digest = "sha256:" + std::string(64, 'a');
  const auto run = [&](const std::string& text) {
    scratch.make_file("policy.json", text);
    require_runnable(scratch.path("policy.json"), store, image, "aaaa");
  };
  CHECK_NOTHROW(run(with_default(R"({"type": "insecureAcceptAnything"})")));
  CHECK_THROWS_AS(run(with_default(R"({"type": "reject"})")), NotAllowed);
  CHECK_NOTHROW(run(R"({"default": [{"type": "reject"}], "transports": {"docker": {
    "": [{"type": "insecureAcceptAnything"}]}}})"));
  CHECK_NOTHROW(run(R"({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {
    "h.example": [{"type": "reject"}]}}})"));
}
