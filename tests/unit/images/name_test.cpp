#include "images/name.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "layout.h"

using namespace trine;
using namespace trine::images;

TEST_CASE("a name without a tag means latest") {
  CHECK(normalize_name("busybox") == "busybox:latest");
  CHECK(normalize_name("busybox:1") == "busybox:1");
  CHECK(normalize_name("host:5000/a/b") == "host:5000/a/b:latest");
}

TEST_CASE("Docker's registry written out means the same image") {
  CHECK(normalize_name("docker.io/library/busybox") == "busybox:latest");
  CHECK(normalize_name("docker.io/team/web:2") == "team/web:2");
}

TEST_CASE("what is no name is refused") {
  for (const char* bad : {"", "Upper", "a//b", "../a", "a/../b", "/a", "a/", "a:", "a:b:c d", "a b", "-a",
                          "a@sha256:short", "a:/x"}) {
    CHECK_FALSE(is_name(bad));
  }
}

TEST_CASE("a digest is checked before a path is made of it") {
  const std::string hex(64, 'a');
  CHECK(digest_hex("sha256:" + hex) == hex);
  CHECK(digest_hex("sha512:" + hex + hex) == hex + hex);
  for (const std::string& bad : {std::string("sha256:../../etc/passwd"), "sha256:" + std::string(64, 'A'),
                                 "sha256:" + hex + "a", "md5:" + hex, hex, std::string(":"), std::string()}) {
    CHECK_THROWS_AS(digest_hex(bad), base::Error);
  }
}

TEST_CASE("a name's file name leads back to it") {
  CHECK(name_of_file(name_file("host:5000/a/b:1")) == "host:5000/a/b:1");
}
