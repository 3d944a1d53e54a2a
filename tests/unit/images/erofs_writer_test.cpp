#include <catch2/catch.hpp>
#include <unistd.h>

#include <iostream>

#include "base/error.h"
#include "base/process.h"
#include "erofs_image.h"

using namespace trine;
using namespace trine::images::erofs;
namespace fs = std::filesystem;

namespace {

constexpr Node kRoot = Writer::kRoot;

Attributes attributes(std::uint16_t mode = 0644, std::int64_t time = 1'000'000'000) {
  return {.mode = mode, .mtime = {.tv_sec = time, .tv_nsec = 0}};
}

std::string pattern(std::size_t size, char seed = 'a') {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(seed + (i * 7 + i / 4096) % 23);
  return text;
}

void add_file(Writer& writer, Node parent, const std::string& name, const std::string& text,
              const Attributes& with = attributes()) {
  writer.add_file(parent, name, with, text.size(), data_of(text));
}

/// What fsck.erofs says; nothing when it is content, or not installed.
std::string fsck(const ErofsImage& image) {
  if (::access("/usr/bin/fsck.erofs", X_OK) != 0) {
    std::cout << "fsck.erofs is not installed: the reader alone checks\n";
    return "";
  }
  const auto result = base::run_program("fsck.erofs", {"--extract", image.path()});
  return result.status.code == 0 ? "" : result.output;
}

/// Everything that the format can hold, once.
void fill(Writer& writer) {
  writer.set_attributes(kRoot, attributes(0755));
  const Node dir = writer.add_directory(kRoot, "dir", attributes(0750));
  add_file(writer, dir, "empty", "");
  add_file(writer, dir, "small", "hello");
  add_file(writer, dir, "block", pattern(4096));
  add_file(writer, dir, "blocks and a rest", pattern(3 * 4096 + 100));
  add_file(writer, dir, "blocks and a long rest", pattern(3 * 4096 + 3000));
  Attributes owned = attributes(04755, 981'173'106);
  owned.uid = 1234;
  owned.gid = 70'000;
  owned.mtime.tv_nsec = 789'000'000;
  owned.xattrs = {{"user.note", "text"}, {"security.capability", std::string("\1\0\0\2", 4)}};
  add_file(writer, dir, "owned", "x", owned);
  writer.link(kRoot, "linked", *writer.find(dir, "small"));
  writer.add_symlink(kRoot, "link", attributes(0777), "dir/small");
  writer.add_symlink(kRoot, "long link", attributes(0777), std::string(3000, 'l'));
  writer.add_device(kRoot, "null", attributes(0666), FileType::kCharacter, 1, 3);
  writer.add_device(kRoot, "disk", attributes(0660), FileType::kBlockDevice, 259, 70'000);
  writer.add_device(kRoot, "whiteout", attributes(0), FileType::kCharacter, 0, 0);
  writer.add_fifo(kRoot, "fifo", attributes(0600));
  const Node opaque = writer.add_directory(kRoot, "opaque", attributes(0755, 5));
  writer.set_xattr(opaque, "trusted.overlay.opaque", "y");
  const Extents extents{{4096, 4096}, {1'000'000, 10}};
  writer.add_file(kRoot, "sparse", attributes(), 2'000'000, data_of(pattern(4106)), &extents);
  add_file(writer, kRoot, std::string(255, 'n'), "long name");
}

}  // namespace

TEST_CASE("what is written is read again, and fsck.erofs finds nothing wrong") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  fill(writer);
  writer.finish();
  CHECK(fsck(image).empty());
  const Reader reader = image.reader();
  CHECK(reader.verify() == 17);
  CHECK(content_of(reader, "dir/small") == "hello");
  CHECK(content_of(reader, "linked") == "hello");
  CHECK(content_of(reader, "link/") == "dir/small");
  CHECK(content_of(reader, "dir/empty").empty());
  CHECK(content_of(reader, "dir/block") == pattern(4096));
  CHECK(content_of(reader, "dir/blocks and a rest") == pattern(3 * 4096 + 100));
  CHECK(content_of(reader, "dir/blocks and a long rest") == pattern(3 * 4096 + 3000));
  CHECK(content_of(reader, std::string(255, 'n')) == "long name");
  const auto owned = reader.find("dir/owned");
  REQUIRE(owned);
  CHECK(owned->mode == 0104755);
  CHECK(owned->uid == 1234);
  CHECK(owned->gid == 70'000);
  CHECK(owned->mtime.tv_sec == 981'173'106);
  CHECK(owned->mtime.tv_nsec == 789'000'000);
  CHECK(reader.xattrs(*owned) ==
        Xattrs{{"user.note", "text"}, {"security.capability", std::string("\1\0\0\2", 4)}});
  CHECK(reader.find("linked")->links == 2);
  CHECK(Reader::device(*reader.find("disk")) == std::pair{259U, 70'000U});
  CHECK(Reader::device(*reader.find("whiteout")) == std::pair{0U, 0U});
  CHECK(reader.xattrs(*reader.find("opaque")) == Xattrs{{"trusted.overlay.opaque", "y"}});
  std::string sparse(2'000'000, '\0');
  const std::string data = pattern(4106);
  sparse.replace(4096, 4096, data, 0, 4096);
  sparse.replace(1'000'000, 10, data, 4096, 10);
  CHECK(content_of(reader, "sparse") == sparse);
}

TEST_CASE("the same calls give the same bytes") {
  const ErofsImage first, second;
  for (const auto* image : {&first, &second}) {
    Writer writer(image->fd(), "test");
    fill(writer);
    writer.finish();
  }
  CHECK(first.bytes() == second.bytes());
}

TEST_CASE("an image of nothing is an empty root") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  writer.finish();
  CHECK(fsck(image).empty());
  CHECK(image.reader().verify() == 1);
  CHECK(image.bytes().size() == 4096);
}

TEST_CASE("a directory of many blocks is found in, whatever its names") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  const Node dir = writer.add_directory(kRoot, "many", attributes(0755));
  for (int i = 0; i < 5000; ++i)
    add_file(writer, dir,
             (i % 3 == 0   ? "!"
              : i % 3 == 1 ? "\xff"
                           : "name of a file ") +
                 std::to_string(i),
             std::to_string(i));
  writer.finish();
  CHECK(fsck(image).empty());
  const Reader reader = image.reader();
  CHECK(reader.verify() == 5002);
  CHECK(content_of(reader, "many/!4998") == "4998");
  CHECK(content_of(reader,
                   "many/\xff"
                   "4999") == "4999");
  CHECK_FALSE(reader.find("many/5000"));
}

TEST_CASE("what is replaced or removed is not there, nor is anything below it") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  Node at = writer.add_directory(kRoot, "deep", attributes(0755));
  for (int i = 0; i < 3000; ++i)
    at = writer.add_directory(at, "d", attributes(0755));
  add_file(writer, at, "file", "x");
  writer.link(kRoot, "kept", *writer.find(at, "file"));
  add_file(writer, kRoot, "deep", "a file now");
  add_file(writer, kRoot, "twice", "first");
  add_file(writer, kRoot, "twice", "second");
  writer.finish();
  CHECK(fsck(image).empty());
  const Reader reader = image.reader();
  CHECK(reader.verify() == 4);
  CHECK(content_of(reader, "deep") == "a file now");
  CHECK(content_of(reader, "twice") == "second");
  CHECK(reader.find("kept")->links == 1);
}

TEST_CASE("an attribute that many files have is stored once") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  Attributes with = attributes();
  const std::string large = pattern(20'000);
  const std::string label = pattern(300, 'A');
  with.xattrs = {{"user.large", large}, {"security.label", label}, {"user.own", "1"}};
  for (int i = 0; i < 100; ++i) {
    with.xattrs.back().second = std::to_string(i);
    add_file(writer, kRoot, std::to_string(i), "x", with);
  }
  Attributes root = attributes(0755);
  root.xattrs = with.xattrs;
  writer.set_attributes(kRoot, root);
  writer.finish();
  CHECK(fsck(image).empty());
  CHECK(image.bytes().size() < 64 << 10);
  const Reader reader = image.reader();
  CHECK(reader.verify() == 101);
  for (const char* path : {"0", "99", "/"}) {
    auto xattrs = reader.xattrs(*reader.find(path));
    REQUIRE(xattrs.size() == 3);
    std::ranges::sort(xattrs);
    CHECK(xattrs[0] == std::pair<std::string, std::string>("security.label", label));
    CHECK(xattrs[1].second == large);
    CHECK(xattrs[2].second == (std::string(path) == "0" ? "0" : "99"));
  }
}

TEST_CASE("attributes too large for an inode's block stand elsewhere") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  Attributes with = attributes();
  for (int i = 0; i < 60; ++i)
    with.xattrs.emplace_back("user.n" + std::to_string(i), pattern(200, static_cast<char>(' ' + i)));
  add_file(writer, kRoot, "file", pattern(1000), with);
  writer.add_symlink(kRoot, "link", with, std::string(1000, 'x'));
  writer.finish();
  CHECK(fsck(image).empty());
  CHECK(image.reader().verify() == 3);
  CHECK(image.reader().xattrs(*image.reader().find("file")).size() == 60);
  CHECK(content_of(image.reader(), "file") == pattern(1000));
}

TEST_CASE("a file of terabytes with little in it takes little room") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  const std::uint64_t size = std::uint64_t{1} << 40;
  const Extents extents{{0, 4}, {size / 2 + 5000, 4}, {size - 4, 4}};
  writer.add_file(kRoot, "huge", attributes(), size, data_of("headmid.tail"), &extents);
  writer.finish();
  CHECK(fs::file_size(image.path()) < std::uint64_t{1} << 30);
  const Reader reader = image.reader();
  CHECK(reader.verify() == 2);
  const auto huge = reader.find("huge");
  std::string part(4, '\0');
  CHECK(reader.read(*huge, size / 2 + 5000, part) == 4);
  CHECK(part == "mid.");
  CHECK(reader.read(*huge, size - 4, part) == 4);
  CHECK(part == "tail");
  CHECK(reader.read(*huge, size / 4, part) == 4);
  CHECK(part == std::string(4, '\0'));
}

TEST_CASE("names and links that no file system has are refused") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  for (const char* name : {"", ".", "..", "a/b"})
    CHECK_THROWS_AS(add_file(writer, kRoot, name, "x"), base::Error);
  CHECK_THROWS_AS(add_file(writer, kRoot, std::string(256, 'n'), "x"), base::Error);
  const Node dir = writer.add_directory(kRoot, "dir", attributes(0755));
  CHECK_THROWS_AS(writer.link(kRoot, "hard", dir), base::Error);
  const Extents overlapping{{0, 100}, {50, 100}};
  CHECK_THROWS_AS(writer.add_file(kRoot, "s", attributes(), 1000, data_of(pattern(200)), &overlapping),
                  base::Error);
}

TEST_CASE("a damaged image is an error, whatever byte is changed") {
  const ErofsImage image;
  Writer writer(image.fd(), "test");
  fill(writer);
  writer.finish();
  const std::string good = image.bytes();
  const ErofsImage damaged;
  for (std::size_t at = 1024; at < good.size(); at += 37) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x5a);
    (void)!::pwrite(damaged.fd(), bytes.data(), bytes.size(), 0);
    try {
      (void)damaged.reader().verify();
      CHECK(at >= 4096);  // the superblock and the root are under a checksum; data are not
    } catch (const base::Error&) {
    }
  }
}
