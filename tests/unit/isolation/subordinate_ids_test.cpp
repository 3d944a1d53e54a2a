#include "subordinate_ids.h"

#include <catch2/catch.hpp>

#include <string>

#include "user_namespace.h"

using namespace trine::isolation;

namespace {

/// "first+count" of each range, with blanks between.
std::string ranges(std::string_view text, std::string_view user = "web", std::uint32_t id = 1000) {
  std::string all;
  for (const auto& range : find_id_ranges(text, user, id))
    all += (all.empty() ? "" : " ") + std::to_string(range.first) + "+" + std::to_string(range.count);
  return all;
}

}  // namespace

TEST_CASE("subordinate ranges go by name and by number, in the file's order") {
  CHECK(ranges("web:100000:65536\nother:1:1\n1000:300000:10\n") == "100000+65536 300000+10");
  CHECK(ranges("web:100000:65536", "web", 5) == "100000+65536");
  CHECK(ranges("1000:300000:10\n", "", 1000) == "300000+10");
  CHECK(ranges("web:100000:65536\n", "nobody", 5).empty());
  CHECK(ranges("").empty());
}

TEST_CASE("a name that only begins alike is another user") {
  CHECK(ranges("web2:100000:65536\nwe:1:1\n10000:2:2\n100:3:3\n").empty());
}

TEST_CASE("a user without a name is not the one of lines without a name") {
  CHECK(ranges(":100000:65536\n", "", 1000).empty());
}

TEST_CASE("lines that are damaged are passed over, and the others hold") {
  CHECK(ranges("web\nweb:1\nweb:1:2:3\nweb:x:1\nweb:1:x\nweb:-1:5\nweb::\nweb:7:7\n") == "7+7");
}

TEST_CASE("ranges that are empty or leave the ids there are, are none") {
  CHECK(ranges("web:5:0\nweb:4294967295:2\nweb:4294967296:1\nweb:1:99999999999999999999\n").empty());
  CHECK(ranges("web:4294967290:5\n") == "4294967290+5");
}

TEST_CASE("the name of an id is the first that has it") {
  const char* passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:\nalias:x:1000:1000::/:\nbad:x:7\n";
  CHECK(user_name(passwd, 0) == "root");
  CHECK(user_name(passwd, 1000) == "web");
  CHECK(user_name(passwd, 100).empty());
  CHECK(user_name(passwd, 7).empty());
}

TEST_CASE("the user's own id is root inside, and its ranges follow one another from 1 on") {
  using Words = std::vector<std::string>;
  CHECK(mapper_arguments(42, map_ids(1000, {})) == Words{"42", "0", "1000", "1"});
  CHECK(mapper_arguments(42, map_ids(1000, {{100000, 65536}, {300000, 10}})) ==
        Words{"42", "0", "1000", "1", "1", "100000", "65536", "65537", "300000", "10"});
}
