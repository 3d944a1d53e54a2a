#include <catch2/catch.hpp>

#include "base/error.h"
#include "user_database.h"

using namespace trine;
using namespace trine::isolation;

namespace {
constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "huge:x:4294967296:0::/:/bin/sh\n"
    "web:x:1000:1001::/srv:/bin/sh\n"
    "7:x:8:8::/:/bin/sh";
constexpr const char* kGroup = "root:x:0:\nweb:x:1001:\nextra:x:2000:other,web\n";
}  // namespace

TEST_CASE("no user means root, with root's home") {
  const auto resolved = resolve_user_text("", kPasswd, kGroup);
  CHECK(resolved.user.uid == 0);
  CHECK(resolved.home == "/root");
}

TEST_CASE("a name brings its group, home and supplementary groups") {
  const auto resolved = resolve_user_text("web", kPasswd, kGroup);
  CHECK(resolved.user.uid == 1000);
  CHECK(resolved.user.gid == 1001);
  CHECK(resolved.home == "/srv");
  CHECK(resolved.user.additional_gids == std::vector<gid_t>{1001, 2000});
}

TEST_CASE("a group that is given replaces the others") {
  const auto resolved = resolve_user_text("web:extra", kPasswd, kGroup);
  CHECK(resolved.user.gid == 2000);
  CHECK(resolved.user.additional_gids == std::vector<gid_t>{2000});
}

TEST_CASE("a number needs no entry, a name does") {
  CHECK(resolve_user_text("12345", kPasswd, kGroup).user.uid == 12345);
  CHECK(resolve_user_text("12345:54321", "", "").user.gid == 54321);
  CHECK_THROWS_AS(resolve_user_text("nobody", kPasswd, kGroup), base::Error);
  CHECK_THROWS_AS(resolve_user_text("0:nogroup", kPasswd, kGroup), base::Error);
}

TEST_CASE("ids that overflow are refused, not wrapped") {
  for (const char* bad : {"huge", "4294967296", "4294967295", "2147483648", "-1", "0:4294967296"}) {
    CHECK_THROWS_AS(resolve_user_text(bad, kPasswd, kGroup), base::Error);
  }
}
