#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <iostream>

#include "base/error.h"
#include "bytes.h"
#include "export/gzip_writer.h"
#include "export/layer_packer.h"
#include "scratch.h"
#include "tar.h"
#include "upload.h"

using namespace trine;
using namespace trine::images;

namespace {

std::string packed(const test::Scratch& scratch) {
  std::string archive;
  pack_layer(scratch.path(),
             [&](std::span<const char> bytes) { archive.append(bytes.data(), bytes.size()); });
  return archive;
}

std::map<std::string, TarEntry> members(const std::string& archive) {
  MemorySource source(archive);
  TarReader reader(source, "packed");
  std::map<std::string, TarEntry> result;
  while (const auto entry = reader.next())
    result[entry->path] = *entry;
  return result;
}

}  // namespace

TEST_CASE("what is packed is read back as it was") {
  const test::Scratch scratch;
  const std::string name(150, 'n');
  scratch.make_directory("dir");
  scratch.make_file("dir/" + name, "content");
  scratch.make_symlink("link", "/etc/passwd");
  REQUIRE(::link(scratch.path("dir/" + name).c_str(), scratch.path("second").c_str()) == 0);
  const timespec times[2]{{.tv_sec = 7, .tv_nsec = 0}, {.tv_sec = 981173106, .tv_nsec = 789}};
  REQUIRE(::utimensat(AT_FDCWD, scratch.path("second").c_str(), times, 0) == 0);
  const auto found = members(packed(scratch));
  REQUIRE(found.contains("dir/" + name));
  const TarEntry& file = found.at("dir/" + name);
  CHECK(file.type == TarType::kFile);
  CHECK(file.size == 7);
  CHECK(file.mtime.tv_sec == 981173106);
  CHECK(file.mtime.tv_nsec == 789);
  CHECK(found.at("link").link == "/etc/passwd");
  CHECK(found.at("second").type == TarType::kHardlink);
  CHECK(found.at("second").link == "dir/" + name);
}

TEST_CASE("the same layer is packed into the same bytes") {
  const test::Scratch scratch;
  for (const char* name : {"c", "a", "b"})
    scratch.make_file(name, name);
  CHECK(packed(scratch) == packed(scratch));
}

TEST_CASE("whiteouts and opaque directories are told as images tell them") {
  if (::geteuid() != 0) {
    std::cout << "skipped: needs root\n";
    return;
  }
  const test::Scratch scratch;
  scratch.make_directory("dir");
  REQUIRE(::mknod(scratch.path("dir/gone").c_str(), S_IFCHR, makedev(0, 0)) == 0);
  if (::setxattr(scratch.path("dir").c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
    std::cout << "skipped: this file system has no trusted attributes\n";
    return;
  }
  const auto found = members(packed(scratch));
  CHECK(found.contains("dir/.wh.gone"));
  CHECK(found.contains("dir/.wh..wh..opq"));
  CHECK_FALSE(found.contains("dir/gone"));
  for (const auto& [path, entry] : found)
    CHECK(entry.xattrs.empty());
}

TEST_CASE("what is compressed comes back") {
  std::string plain;
  for (unsigned i = 0; i < 300'000U; ++i)
    plain += static_cast<char>(i * i >> 3);
  std::string packed_bytes;
  GzipWriter writer([&](std::span<const char> bytes) { packed_bytes.append(bytes.data(), bytes.size()); });
  writer.write(std::string_view(plain).substr(0, 1000));
  writer.write(std::string_view(plain).substr(1000));
  writer.finish();
  MemorySource source(packed_bytes);
  const auto unpacked = decompress(source, "test");
  CHECK(read_to_end(*unpacked, plain.size(), "test") == plain);
}
