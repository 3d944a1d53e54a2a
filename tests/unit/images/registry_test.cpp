#include <catch2/catch.hpp>

#include "base/error.h"
#include "base64.h"
#include "challenge.h"
#include "credentials.h"
#include "http.h"
#include "platform.h"
#include "scratch.h"

using namespace trine;
using namespace trine::images;

namespace {

Descriptor entry(const char* os, const char* architecture, const char* variant = "") {
  return {.digest = std::string(architecture) + variant,
          .os = os,
          .architecture = architecture,
          .variant = variant};
}
std::string choose(const std::vector<Descriptor>& entries, const char* platform) {
  return select(entries, parse_platform(platform), "x").digest;
}

AuthFiles auth_file(const test::Scratch& scratch, const std::string& content) {
  scratch.make_file("auth.json", content);
  return AuthFiles(scratch.path("auth.json"));
}
std::string encoded(const std::string& text) {
  return R"({"auth": ")" + base64_encode(text) + R"("})";
}

}  // namespace

TEST_CASE("a challenge's values are read, quoted or not") {
  const auto found = parse_challenges(R"(Bearer realm="https://a.example/token",service="a, \"b\"",scope=x)");
  REQUIRE(found.size() == 1);
  CHECK(found[0].scheme == "bearer");
  CHECK(found[0].values.at("realm") == "https://a.example/token");
  CHECK(found[0].values.at("service") == R"(a, "b")");
  CHECK(found[0].values.at("scope") == "x");
}

TEST_CASE("several challenges stand in one header") {
  const auto found = parse_challenges(R"(Negotiate, Basic realm="x", Bearer realm="y")");
  REQUIRE(found.size() == 3);
  CHECK(found[1].values.at("realm") == "x");
  CHECK(found[2].values.at("realm") == "y");
}

TEST_CASE("what is no challenge ends the list, and nothing is endless") {
  CHECK(parse_challenges("").empty());
  CHECK(parse_challenges("\"").empty());
  CHECK(parse_challenges("Basic realm=\"open").size() == 1);
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += "a, ";
  CHECK(parse_challenges(many).size() <= 8);
}

TEST_CASE("base64 comes back as it went") {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("\0\xff\x80", 3)})
    CHECK(base64_decode(base64_encode(text)) == text);
  CHECK(base64_encode("user:secret") == "dXNlcjpzZWNyZXQ=");
  CHECK_FALSE(base64_decode("a b"));
}

TEST_CASE("the longest path's credentials are taken") {
  const test::Scratch scratch;
  const auto files =
      auth_file(scratch, R"({"auths": {"h.example": )" + encoded("host:1") + R"(, "h.example/team": )" +
                             encoded("team:2") + R"(, "h.example/team/web": {}}})");
  CHECK(files.find("h.example", "team/web")->user == "team");
  CHECK(files.find("h.example", "other")->password == "1");
  CHECK_FALSE(files.find("other.example", "team"));
  CHECK_FALSE(files.find("h.example.evil", "team"));
}

TEST_CASE("docker's old keys mean the same registry") {
  const test::Scratch scratch;
  const auto files =
      auth_file(scratch, R"({"auths": {"https://index.docker.io/v1/": )" + encoded("a:b:c") + "}}");
  const auto found = files.find("docker.io", "library/alpine");
  REQUIRE(found);
  CHECK(found->user == "a");
  CHECK(found->password == "b:c");
}

TEST_CASE("an identity token stands in place of a password") {
  const test::Scratch scratch;
  CHECK(auth_file(scratch, R"({"auths": {"h": {"auth": "", "identitytoken": "t"}}})")
            .find("h", "")
            ->identity_token == "t");
}

TEST_CASE("a damaged file of credentials is an error, a missing one is none") {
  const test::Scratch scratch;
  CHECK_THROWS_AS(auth_file(scratch, "{").find("h", ""), base::Error);
  CHECK_THROWS_AS(auth_file(scratch, R"({"auths": {"h": {"auth": "%"}}})").find("h", ""), base::Error);
  CHECK_FALSE(AuthFiles(scratch.path("none")).find("h", ""));
}

TEST_CASE("credentials are kept beside others, and forgotten alone") {
  const test::Scratch scratch;
  const auto files = auth_file(scratch, R"({"auths": {"a": )" + encoded("a:1") + R"(}, "other": true})");
  files.store("b:5000", {.user = "b", .password = "2", .identity_token = {}});
  CHECK(files.find("b:5000", "x")->password == "2");
  CHECK(files.find("a", "x")->password == "1");
  CHECK(files.erase("b:5000"));
  CHECK_FALSE(files.erase("b:5000"));
  CHECK(files.find("a", "x"));
  CHECK(scratch.content("auth.json").find("\"other\": true") != std::string::npos);
}

TEST_CASE("a helper's name leads to no other program") {
  const test::Scratch scratch;
  CHECK_THROWS_AS(auth_file(scratch, R"({"credHelpers": {"h": "../../bin/sh"}})").find("h", ""), base::Error);
  CHECK_THROWS_AS(auth_file(scratch, R"({"credHelpers": {"h": "there-is-none"}})").find("h", ""),
                  base::Error);
}

TEST_CASE("a platform is read in all its spellings") {
  CHECK(parse_platform("arm64").text() == "linux/arm64");
  CHECK(parse_platform("linux/aarch64").text() == "linux/arm64");
  CHECK(parse_platform("linux/arm/v6").text() == "linux/arm/v6");
  CHECK(parse_platform("armhf").text() == "linux/arm/v7");
  for (const char* bad : {"", "/", "linux/", "a/b/c/d", "LINUX/amd64", "a b"})
    CHECK_THROWS_AS(parse_platform(bad), base::Error);
}

TEST_CASE("of an index the best fitting entry is taken") {
  const std::vector<Descriptor> entries{entry("unknown", "unknown"), entry("linux", "arm", "v5"),
                                        entry("linux", "arm", "v7"), entry("linux", "arm64", "v8"),
                                        entry("linux", "amd64"),     entry("windows", "amd64")};
  CHECK(choose(entries, "linux/amd64") == "amd64");
  CHECK(choose(entries, "linux/arm64") == "arm64v8");
  CHECK(choose(entries, "linux/arm") == "armv7");
  CHECK(choose(entries, "linux/arm/v5") == "armv5");
  CHECK_THROWS_WITH(choose(entries, "linux/s390x"), Catch::Contains("linux/s390x"));
  CHECK_THROWS_AS(choose(entries, "linux/arm/v6"), base::Error);
  CHECK_THROWS_AS(choose({}, "linux/amd64"), base::Error);
}

TEST_CASE("a newer variant than every machine has is not taken unasked") {
  CHECK_THROWS_AS(choose({entry("linux", "amd64", "v3")}, "linux/amd64"), base::Error);
  CHECK(choose({entry("linux", "amd64", "v3")}, "linux/amd64/v3") == "amd64v3");
}

TEST_CASE("what goes into an address is escaped") {
  CHECK(url_escape("sha256:a/b c&d") == "sha256%3Aa%2Fb%20c%26d");
}
