#include "base/text.h"

#include <catch2/catch.hpp>

using namespace trine::base;

TEST_CASE("split keeps or skips empty parts") {
  CHECK(split("a::b", ':') == std::vector<std::string>{"a", "", "b"});
  CHECK(split("a::b", ':', SplitEmpty::kSkip) == std::vector<std::string>{"a", "b"});
  CHECK(split("", ':') == std::vector<std::string>{""});
  CHECK(split("", ':', SplitEmpty::kSkip).empty());
}

TEST_CASE("a number is taken whole or not at all") {
  CHECK(parse_unsigned("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1.0"})
    CHECK_FALSE(parse_unsigned(bad));
}

TEST_CASE("sizes have Docker's units") {
  CHECK(parse_size("512") == 512);
  CHECK(parse_size("1k") == 1024);
  CHECK(parse_size("64M") == 64U << 20);
  CHECK(parse_size("2gb") == 2ULL << 30);
  CHECK(parse_size("1GiB") == 1ULL << 30);
  for (const char* bad : {"", "k", "1x", "1kk", "-1", "99999999999t", "1bb"})
    CHECK_FALSE(parse_size(bad));
}

TEST_CASE("random names do not repeat") {
  CHECK(random_hex(8).size() == 16);
  CHECK(random_hex(16) != random_hex(16));
}
