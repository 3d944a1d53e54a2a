#include "devices/rng/rng.h"

#include <catch2/catch.hpp>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

TEST_CASE("random numbers fill the buffer, and differ") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  const std::string first = driver.request(0, "", 64);
  const std::string second = driver.request(0, "", 64);
  CHECK(first.size() == 64);
  CHECK(first != second);
}

TEST_CASE("one request for random numbers is given 4 KiB at most") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  driver.request(0, "", 100'000);
  CHECK(driver.used_bytes(0, 0).size() == Rng::kMostBytes);
}

TEST_CASE("a buffer for random numbers that cannot be written to is no request") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  driver.request(0, "seed", 0);
  CHECK(driver.needs_reset());
}
