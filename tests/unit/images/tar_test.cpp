#include "tar.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "tar_builder.h"

using namespace trine;
using namespace trine::images;

namespace {

std::vector<TarEntry> read_all(const std::string& archive) {
  TextSource source(archive);
  TarReader reader(source, "test.tar");
  std::vector<TarEntry> entries;
  while (auto entry = reader.next())
    entries.push_back(std::move(*entry));
  return entries;
}

}  // namespace

TEST_CASE("members come with type, mode, size and time") {
  const auto entries = read_all(TarBuilder()
                                    .add('5', "dir/", "", "", 0755)
                                    .add('0', "dir/file", "content")
                                    .add('2', "link", "", "dir/file")
                                    .finish());
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].type == TarType::kDirectory);
  CHECK(entries[0].mode == 0755);
  CHECK(entries[1].size == 7);
  CHECK(entries[1].mtime.tv_sec == 1000000000);
  CHECK(entries[2].link == "dir/file");
}

TEST_CASE("PAX records win over the header, and are for one member only") {
  const auto entries = read_all(TarBuilder()
                                    .pax("path", std::string(300, 'p'))
                                    .pax("mtime", "5.25")
                                    .pax("SCHILY.xattr.user.a", "b")
                                    .add('0', "short")
                                    .add('0', "next")
                                    .finish());
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].path == std::string(300, 'p'));
  CHECK(entries[0].mtime.tv_sec == 5);
  CHECK(entries[0].mtime.tv_nsec == 250000000);
  CHECK(entries[0].xattrs == std::vector<std::pair<std::string, std::string>>{{"user.a", "b"}});
  CHECK(entries[1].path == "next");
  CHECK(entries[1].xattrs.empty());
}

TEST_CASE("global PAX records hold for all that follow") {
  const auto entries = read_all(TarBuilder().pax("uid", "77", 'g').add('0', "a").add('0', "b").finish());
  CHECK(entries.at(0).uid == 77);
  CHECK(entries.at(1).uid == 77);
}

TEST_CASE("GNU long names are put together") {
  const std::string name(200, 'n');
  const auto entries =
      read_all(TarBuilder().add('L', "././@LongLink", name + std::string(1, '\0')).add('0', "n").finish());
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].path == name);
}

TEST_CASE("data that was not read is passed over") {
  TextSource source(TarBuilder().add('0', "a", std::string(5000, 'x')).add('0', "b", "y").finish());
  TarReader reader(source, "test.tar");
  REQUIRE(reader.next());
  REQUIRE(reader.next()->path == "b");
  char byte = 0;
  CHECK(reader.read_data({&byte, 1}) == 1);
  CHECK(byte == 'y');
  CHECK(reader.read_data({&byte, 1}) == 0);
}

TEST_CASE("archives that are damaged are refused") {
  const std::string whole = TarBuilder().add('0', "a", std::string(3000, 'x')).finish();
  CHECK_THROWS_AS(read_all(whole.substr(0, 1000)), base::Error);
  CHECK_THROWS_AS(read_all(whole.substr(0, 300)), base::Error);
  std::string checksum = whole;
  checksum[0] = 'b';
  CHECK_THROWS_AS(read_all(checksum), base::Error);
  CHECK_THROWS_AS(read_all(TarBuilder().add('x', "pax", "999 path=a\n").add('0', "a").finish()), base::Error);
  CHECK_THROWS_AS(read_all(TarBuilder().add('x', "pax", "0 =\n").add('0', "a").finish()), base::Error);
  CHECK_THROWS_AS(read_all(TarBuilder().pax("path", std::string(5000, 'p')).add('0', "a").finish()),
                  base::Error);
}

TEST_CASE("an owner that overflows is refused") {
  CHECK_THROWS_AS(read_all(TarBuilder().pax("uid", "4294967296").add('0', "a").finish()), base::Error);
  CHECK_THROWS_AS(read_all(TarBuilder().pax("gid", "-1").add('0', "a").finish()), base::Error);
}

TEST_CASE("sparse files of PAX 1.0 carry their map before their data") {
  std::string map = "2\n0\n3\n1000\n2\n";
  map.resize(512, '\0');
  TextSource source(TarBuilder()
                        .pax("GNU.sparse.major", "1")
                        .pax("GNU.sparse.minor", "0")
                        .pax("GNU.sparse.name", "s")
                        .pax("GNU.sparse.realsize", "2000")
                        .add('0', "x", map + "abcde")
                        .finish());
  TarReader reader(source, "test.tar");
  const auto entry = reader.next();
  REQUIRE(entry);
  CHECK(entry->path == "s");
  CHECK(entry->size == 2000);
  REQUIRE(entry->sparse);
  CHECK(*entry->sparse == Pieces{{0, 3}, {1000, 2}});
  std::string data(5, '\0');
  CHECK(reader.read_data(data) == 5);
  CHECK(data == "abcde");
}

TEST_CASE("sparse files of PAX 0.0 and 0.1 carry their map in records") {
  const Pieces wanted{{0, 3}, {1000, 2}};
  const auto pairs = read_all(TarBuilder()
                                  .pax("GNU.sparse.size", "2000")
                                  .pax("GNU.sparse.offset", "0")
                                  .pax("GNU.sparse.numbytes", "3")
                                  .pax("GNU.sparse.offset", "1000")
                                  .pax("GNU.sparse.numbytes", "2")
                                  .add('0', "s", "abcde")
                                  .finish());
  CHECK(pairs.at(0).size == 2000);
  CHECK(pairs.at(0).sparse == wanted);
  const auto list = read_all(TarBuilder()
                                 .pax("GNU.sparse.size", "2000")
                                 .pax("GNU.sparse.map", "0,3,1000,2")
                                 .add('0', "s", "abcde")
                                 .finish());
  CHECK(list.at(0).size == 2000);
  CHECK(list.at(0).sparse == wanted);
}

TEST_CASE("a sparse map that lies is refused") {
  for (const std::string map : {"1\n0\n9\n", "2\n100\n3\n0\n2\n", "1\n5000\n5\n", "999999999\n"}) {
    std::string block = map;
    block.resize(512, '\0');
    CHECK_THROWS_AS(read_all(TarBuilder()
                                 .pax("GNU.sparse.major", "1")
                                 .pax("GNU.sparse.realsize", "2000")
                                 .add('0', "x", block + "abcde")
                                 .finish()),
                    base::Error);
  }
}
