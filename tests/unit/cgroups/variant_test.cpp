#include "systemd/variant.h"

#include <catch2/catch.hpp>

using namespace trine::cgroups::systemd;

namespace {

std::string type_of(const std::string& text) {
  const auto value = parse_variant(text);
  return value ? value->type : "error: " + value.error();
}

template <typename Value>
Value value_of(const std::string& text) {
  return std::get<Value>(parse_variant(text).value().value);
}

}  // namespace

TEST_CASE("a value has the type that it shows or names") {
  const std::vector<std::pair<std::string, std::string>> kTexts = {
      {"true", "b"},
      {"5", "i"},
      {"-5", "i"},
      {"1.5", "d"},
      {"uint64 5", "t"},
      {"@t 5", "t"},
      {"byte 0x", "error"},
      {"byte 7", "y"},
      {"'a b'", "s"},
      {"\"a'b\"", "s"},
      {"objectpath '/a'", "o"},
      {"['a', 'b']", "as"},
      {"[uint64 1, 2]", "at"},
      {"@as []", "as"},
      {"@a(ss) [('a', 'b')]", "a(ss)"},
      {"('a', uint32 1)", "(su)"},
      {"('a',)", "(s)"},
      {"[[1, 2], [3]]", "aai"},
      {" \t5 ", "i"},
  };
  for (const auto& [text, type] : kTexts) {
    INFO(text);
    CHECK(type_of(text).substr(0, type.size()) == type);
  }
}

TEST_CASE("values are what they say") {
  CHECK(value_of<bool>("true"));
  CHECK_FALSE(value_of<bool>("boolean false"));
  CHECK(value_of<std::int64_t>("-7") == -7);
  CHECK(value_of<std::uint64_t>("uint64 18446744073709551615") == 18446744073709551615U);
  CHECK(value_of<double>("2.5") == 2.5);
  CHECK(value_of<double>("double 2") == 2.0);
  CHECK(value_of<std::string>("'it\\'s \\\\ \\n'") == "it's \\ \n");
  const auto list = value_of<std::vector<Variant>>("@a(ss) [('a', 'b'), ('c', 'd')]");
  REQUIRE(list.size() == 2);
  CHECK(std::get<std::string>(std::get<std::vector<Variant>>(list[1].value)[0].value) == "c");
}

TEST_CASE("what is no value is refused with the place") {
  for (const char* const text : {"",
                                 " ",
                                 "yes",
                                 "5 6",
                                 "[1, 'a']",
                                 "[1",
                                 "[1 2]",
                                 "[]",
                                 "()",
                                 "('a'",
                                 "'a",
                                 "'a\\",
                                 "'\\x'",
                                 "@",
                                 "@z 5",
                                 "@t 'a'",
                                 "@as 5",
                                 "@(ss) ('a',)",
                                 "@(s) ('a', 'b')",
                                 "uint64 -1",
                                 "byte 256",
                                 "int16 40000",
                                 "5000000000",
                                 "uint64 1.5",
                                 "uint64 uint32 5",
                                 "{'a': 1}",
                                 "<5>",
                                 "true false",
                                 "--5",
                                 "5x",
                                 ",",
                                 "]",
                                 "uint64",
                                 "@a 5"}) {
    INFO(text);
    const auto value = parse_variant(text);
    REQUIRE_FALSE(value);
    CHECK(value.error().find("(at character ") != std::string::npos);
  }
}

TEST_CASE("a text that nests without end, or is huge, is refused") {
  CHECK_FALSE(parse_variant(std::string(10'000, '[')));
  CHECK_FALSE(parse_variant(std::string(10'000, '(')));
  std::string at;
  for (int i = 0; i < 10'000; ++i)
    at += "@t ";
  CHECK_FALSE(parse_variant(at + "5"));
  CHECK_FALSE(parse_variant("@" + std::string(10'000, 'a') + "s []"));
  CHECK_FALSE(parse_variant("'" + std::string(70'000, 'x') + "'"));
}

TEST_CASE("a quoted text is read back as it was") {
  for (const std::string text : {"", "plain", "it's", "back\\slash", "\"both'"})
    CHECK(value_of<std::string>(quote(text)) == text);
}

TEST_CASE("the first type of a signature is as long as it is complete") {
  CHECK(type_length("t") == 1);
  CHECK(type_length("as rest") == 2);
  CHECK(type_length("a(sst)b") == 6);
  for (const char* const bad : {"", "a", "(", "()", "(s", "z", "v", "a{sv}"})
    CHECK(type_length(bad) == 0);
}
