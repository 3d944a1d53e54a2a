#include "images/reference.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace trine;
using namespace trine::images;

namespace {
const std::string kDigest = "sha256:" + std::string(64, 'a');
}

TEST_CASE("a name without a host is of Docker's registry, and official without a slash") {
  CHECK(parse_reference("alpine").full() == "docker.io/library/alpine:latest");
  CHECK(parse_reference("team/web:2").full() == "docker.io/team/web:2");
  CHECK(parse_reference("index.docker.io/alpine").full() == "docker.io/library/alpine:latest");
  CHECK(parse_reference("alpine").short_name);
  CHECK_FALSE(parse_reference("docker.io/alpine").short_name);
}

TEST_CASE("the first part is a host only when it looks like one") {
  CHECK(parse_reference("localhost/web").domain == "localhost");
  CHECK(parse_reference("host/web").domain == "docker.io");
  CHECK(parse_reference("host:5000/web").domain == "host:5000");
  CHECK(parse_reference("host.example/web").domain == "host.example");
  CHECK(parse_reference("[::1]:5000/web").domain == "[::1]:5000");
  CHECK(parse_reference("HOST/web").domain == "HOST");
}

TEST_CASE("a colon before the last slash is a port, behind it a tag") {
  const auto reference = parse_reference("host:5000/a/b:1.2-x_Y");
  CHECK(reference.repository == "a/b");
  CHECK(reference.tag == "1.2-x_Y");
  CHECK(parse_reference("host:5000/a").tag == "latest");
}

TEST_CASE("a digest selects, with or without a tag beside it") {
  CHECK(parse_reference("web@" + kDigest).tag.empty());
  CHECK(parse_reference("web@" + kDigest).selector() == kDigest);
  CHECK(parse_reference("web:1@" + kDigest).selector() == kDigest);
  CHECK(parse_reference("web:1@" + kDigest).familiar() == "web:1@" + kDigest);
}

TEST_CASE("a familiar name leads back to the same reference") {
  for (const char* name : {"alpine", "team/web:2", "quay.io/a/b:1", "localhost:5000/x",
                           "docker.io/library/a/b", "docker.io/quay.io/web"}) {
    const auto reference = parse_reference(name);
    CHECK(parse_reference(reference.familiar()).full() == reference.full());
  }
}

TEST_CASE("separators in a path stand alone between letters and digits") {
  for (const char* good : {"a.b", "a_b", "a__b", "a---b", "a-b_c.d"})
    CHECK_NOTHROW(parse_reference(good));
  for (const char* bad :
       {"a..b", "a___b", "a._b", "-a", "a-", "_a", "a/", "a//b", "a/../b", "A", "x/Y", "a b", "ä"})
    CHECK_THROWS_AS(parse_reference(bad), base::Error);
}

TEST_CASE("hosts and ports that are none are refused") {
  for (const char* bad : {"host:0/a", "host:65536/a", "host:x/a", "host:/a", "-host.example/a", "a..b/c",
                          "[]/a", "[::1/a", "[x]:1/a", "h_st.example/a", ":5000/a", "[::1]x/a"})
    CHECK_THROWS_AS(parse_reference(bad), base::Error);
}

TEST_CASE("tags and digests that are none are refused") {
  for (const std::string& bad :
       {std::string("a:"), std::string("a:-x"), std::string("a:.x"), "a:" + std::string(129, 'x'),
        std::string("a@sha256:../../etc"), std::string("a@"), "a@" + kDigest + "@" + kDigest})
    CHECK_THROWS_AS(parse_reference(bad), base::Error);
  CHECK_NOTHROW(parse_reference("a:" + std::string(128, 'x')));
}

TEST_CASE("a name has at most 255 characters") {
  CHECK_NOTHROW(parse_reference("h.example/" + std::string(245, 'a')));
  CHECK_THROWS_AS(parse_reference("h.example/" + std::string(246, 'a')), base::Error);
  CHECK_THROWS_AS(parse_reference(std::string(1 << 20, 'a')), base::Error);
}

TEST_CASE("only this machine's own names are loopback") {
  for (const char* host :
       {"localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]:5000", "a.localhost"})
    CHECK(is_loopback(host));
  for (const char* host :
       {"127.evil.example", "127.0.0.1.example", "localhost.example", "[::2]", "10.0.0.1", "128.0.0.1"})
    CHECK_FALSE(is_loopback(host));
}
