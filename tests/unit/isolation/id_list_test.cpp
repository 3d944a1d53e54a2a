#include "isolation/id_list.h"

#include <catch2/catch.hpp>

using trine::isolation::parse_id_list;
using Ids = std::vector<unsigned>;

TEST_CASE("a list of ids has numbers and ranges") {
  CHECK(parse_id_list("0-3,7", 8191) == Ids{0, 1, 2, 3, 7});
  CHECK(parse_id_list("7,0-1,1-2", 8191) == Ids{0, 1, 2, 7});
  CHECK(parse_id_list("8191", 8191) == Ids{8191});
  CHECK(parse_id_list("", 8191) == Ids{});
  CHECK(parse_id_list("1, 3", 8191) == Ids{1, 3});
}

TEST_CASE("what is no list of ids is refused") {
  for (const char* text :
       {"a", "-", "1-", "-1", "3-1", "0x1", "8192", "0-8192", "18446744073709551616", "1-2-3"}) {
    INFO(text);
    CHECK_FALSE(parse_id_list(text, 8191));
  }
}
