#include "base/text.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trine::base;
using Parts = std::vector<std::string>;

TEST_CASE("split keeps empty parts, so that fields keep their places") {
  CHECK(split("a:b", ':') == Parts{"a", "b"});
  CHECK(split("root:x::", ':') == Parts{"root", "x", "", ""});
  CHECK(split(":", ':') == Parts{"", ""});
  CHECK(split("", ':') == Parts{""});
  CHECK(split("no separator", ':') == Parts{"no separator"});
}

TEST_CASE("split skips empty parts when told to") {
  CHECK(split("//usr///bin/", '/', SplitEmpty::kSkip) == Parts{"usr", "bin"});
  CHECK(split("", '/', SplitEmpty::kSkip).empty());
  CHECK(split("////", '/', SplitEmpty::kSkip).empty());
}

TEST_CASE("a number is taken only when the whole text is one") {
  CHECK(parse_unsigned("0") == 0U);
  CHECK(parse_unsigned("007") == 7U);
  CHECK(parse_unsigned("18446744073709551615") == 18446744073709551615U);
  const std::string text = GENERATE("", " 1", "1 ", "+1", "-1", "1k", "0x10", "1.0", "18446744073709551616",
                                    "99999999999999999999999999", "\xd9\xa1");
  CAPTURE(text);
  CHECK(parse_unsigned(text) == std::nullopt);
}

TEST_CASE("a number ends where the text ends, not at a NUL byte") {
  CHECK(parse_unsigned(std::string_view("1\0", 2)) == std::nullopt);
  CHECK(parse_unsigned(std::string_view("12345", 2)) == 12U);
}

TEST_CASE("a size takes Docker's suffixes in either case") {
  CHECK(parse_size("512") == 512U);
  CHECK(parse_size("512b") == 512U);
  CHECK(parse_size("1k") == 1024U);
  CHECK(parse_size("1K") == 1024U);
  CHECK(parse_size("64m") == 64U << 20);
  CHECK(parse_size("64MB") == 64U << 20);
  CHECK(parse_size("64MiB") == 64U << 20);
  CHECK(parse_size("2g") == std::uint64_t{2} << 30);
  CHECK(parse_size("3t") == std::uint64_t{3} << 40);
}

TEST_CASE("a size that is none, or too large for 64 bits, is refused") {
  const std::string text = GENERATE("", "m", "-1", "1.5g", "1 m", "1mm", "1bb", "1bib", "1p", "1kx",
                                    "16777216t", "18446744073709551615k");
  CAPTURE(text);
  CHECK(parse_size(text) == std::nullopt);
}

TEST_CASE("a size with a fraction of a unit is one where that is asked for") {
  CHECK(parse_fractional_size("1.5k") == 1536U);
  CHECK(parse_fractional_size("0.25GiB") == 256U << 20);
  CHECK(parse_fractional_size("64m") == 64U << 20);
  const std::string text = GENERATE(".5g", "1.g", "1.5", "-1.5g", "1.5.5g", "1.5x", "9000000000.5g");
  CAPTURE(text);
  CHECK((text == "1.5" || parse_fractional_size(text) == std::nullopt));
}

TEST_CASE("the largest size that fits is taken") {
  CHECK(parse_size("16777215t") == std::uint64_t{16777215} << 40);
}

TEST_CASE("random names are hexadecimal, as long as asked for, and differ") {
  const auto one = random_hex(8);
  CHECK(one.size() == 16);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one != random_hex(8));
  CHECK(random_hex(0).empty());
}

TEST_CASE("trim takes blanks and line ends from both sides only") {
  CHECK(trim("  a b \t\r\n") == "a b");
  CHECK(trim("a") == "a");
  CHECK(trim(" \n ").empty());
  CHECK(trim("").empty());
}
