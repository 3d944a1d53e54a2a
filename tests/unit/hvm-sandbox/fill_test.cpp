#include "memory/fill.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

using namespace trine;

namespace {

constexpr std::size_t kHole = 1 << 20;

/// A page of 'a', a hole, and "tail".
base::UniqueFd file_with_hole() {
  base::UniqueFd file(::memfd_create("file", MFD_CLOEXEC));
  base::write_all(file.get(), std::string(4096, 'a'), "file");
  REQUIRE(::lseek(file.get(), kHole, SEEK_SET) == kHole);
  base::write_all(file.get(), "tail", "file");
  return file;
}

struct Fixture {
  hvm::GuestMemory memory{{{.guest_address = 0, .size = 4 << 20, .offset = 0}}};
  base::UniqueFd file = file_with_hole();

  bool fill(std::uint64_t address, std::uint64_t offset, std::uint64_t length) {
    return hvm::fill_from_file(*memory.slice(address, length), file.get(), offset);
  }
  std::string text(std::uint64_t address, std::uint64_t length) {
    std::string out(length, '?');
    memory.slice(address, length)->read(0, std::as_writable_bytes(std::span(out)));
    return out;
  }
};

}  // namespace

TEST_CASE("memory is filled with a file's bytes, its holes as zeros") {
  Fixture fixture;
  REQUIRE(fixture.fill(5, 0, kHole + 4));
  CHECK(fixture.text(0, 7) == std::string("\0\0\0\0\0aa", 7));
  CHECK(fixture.text(5 + 4095, 2) == std::string("a\0", 2));
  CHECK(fixture.text(5 + kHole - 1, 6) == std::string("\0tail\0", 6));
}

TEST_CASE("no byte beyond the wanted part of a file is touched") {
  Fixture fixture;
  REQUIRE(fixture.fill(100, 4094, 2));
  CHECK(fixture.text(99, 4) == std::string("\0aa\0", 4));
  REQUIRE(fixture.fill(200, 8192, 100));
  REQUIRE(fixture.fill(300, kHole + 1, 2));
  CHECK(fixture.text(299, 4) == std::string("\0ai\0", 4));
}

TEST_CASE("a file that is shorter is said to be") {
  Fixture fixture;
  CHECK(!fixture.fill(0, 0, kHole + 5));
  CHECK(!fixture.fill(0, kHole + 4, 1));
  CHECK(!fixture.fill(0, UINT64_MAX, 2));
}

TEST_CASE("what is no file of a known size is not read") {
  hvm::GuestMemory memory{{{.guest_address = 0, .size = 1 << 20, .offset = 0}}};
  const base::UniqueFd device = base::open_file("/dev/zero", O_RDONLY);
  CHECK(!hvm::fill_from_file(*memory.slice(0, 1), device.get(), 0));
}
