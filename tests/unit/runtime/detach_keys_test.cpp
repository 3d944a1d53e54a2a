#include "engine/detach_keys.h"

#include <catch2/catch.hpp>

#include "runtime/engine/attach_instance.h"

using trine::runtime::engine::DetachKeys;
using trine::runtime::engine::parse_detach_keys;

TEST_CASE("what is typed passes, but for the keys that detach") {
  DetachKeys keys("\x10\x11");
  CHECK(keys.take("ab") == "ab");
  CHECK(keys.take("c\x10") == "c");
  CHECK_FALSE(keys.are_typed());
  CHECK(keys.take("d") ==
        "\x10"
        "d");
  CHECK(keys.take("\x10\x10") == "\x10");
  CHECK(keys.take("\x11rest").empty());
  CHECK(keys.are_typed());
}

TEST_CASE("keys that begin like themselves are found wherever they begin") {
  DetachKeys keys("aab");
  CHECK(keys.take("aaab") == "a");
  CHECK(keys.are_typed());
}

TEST_CASE("without keys everything passes") {
  DetachKeys keys("");
  CHECK(keys.take("\x10\x11") == "\x10\x11");
  CHECK_FALSE(keys.are_typed());
}

TEST_CASE("detach keys are read") {
  CHECK(parse_detach_keys("ctrl-p,ctrl-q") == "\x10\x11");
  CHECK(parse_detach_keys("a,ctrl-[,ctrl-_") == "a\x1b\x1f");
  CHECK(parse_detach_keys("ctrl-@") == std::string(1, '\0'));
  CHECK(parse_detach_keys("") == "");
  for (const char* wrong : {"ctrl-", "ctrl-pq", "ab", "a,,b", "ctrl-P", ","})
    CHECK_FALSE(parse_detach_keys(wrong));
}
