#include "base/error.h"

#include <catch2/catch.hpp>

#include <cerrno>
#include <string>

using namespace trine::base;

TEST_CASE("an error says what failed and why") {
  const Error error("cannot mount tmpfs on /run", EPERM, "run as root");
  CHECK(std::string(error.what()) == "cannot mount tmpfs on /run: Operation not permitted");
  CHECK(error.message() == "cannot mount tmpfs on /run");
  CHECK(error.errno_value() == EPERM);
  CHECK(error.hint() == "run as root");
}

TEST_CASE("an error without errno is its sentence alone") {
  CHECK(std::string(Error("no image is called web").what()) == "no image is called web");
}

TEST_CASE("throw_errno takes errno before anything can change it") {
  errno = ENOSPC;
  // A text long enough that making it calls malloc.
  CHECK_THROWS_WITH(throw_errno(std::string(200, 'x')), Catch::EndsWith("No space left on device"));
}

TEST_CASE("an unknown errno is told by its number") {
  CHECK(errno_text(4000) == "errno 4000");
}
