#include "convert.h"

#include <catch2/catch.hpp>

#include "directory.h"

using namespace trine::cgroups;

TEST_CASE("CPU shares become the weights that the OCI specification gives") {
  CHECK(weight_of_shares(2) == 1);
  CHECK(weight_of_shares(1'024) == 39);
  CHECK(weight_of_shares(262'144) == 10'000);
}

TEST_CASE("shares outside the range become the nearest weight") {
  CHECK(weight_of_shares(0) == 1);
  CHECK(weight_of_shares(1) == 1);
  CHECK(weight_of_shares(UINT64_MAX) == 10'000);
}

TEST_CASE("block I/O weights cover the whole range of version 2") {
  CHECK(io_weight_of_blkio(10) == 1);
  CHECK(io_weight_of_blkio(500) == 4'950);
  CHECK(io_weight_of_blkio(1'000) == 10'000);
  CHECK(io_weight_of_blkio(UINT64_MAX) == 10'000);
}

TEST_CASE("no limit is written as max") {
  CHECK(number_or_max(-1) == "max");
  CHECK(number_or_max(0) == "0");
  CHECK(number_or_max(INT64_MAX) == "9223372036854775807");
}

TEST_CASE("a key is found as a whole word only") {
  const auto text = "low 1\noom 2\noom_kill 3\nbad x\nempty\n";
  CHECK(find_keyed(text, "oom_kill") == 3);
  CHECK(find_keyed(text, "oom") == 2);
  CHECK_FALSE(find_keyed(text, "oo"));
  CHECK_FALSE(find_keyed(text, "bad"));
  CHECK_FALSE(find_keyed(text, "empty"));
  CHECK_FALSE(find_keyed("", "oom"));
}
