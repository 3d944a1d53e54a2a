#include "devices/pmem/pmem.h"

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "devices/pmem/mapped_file.h"
#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;
namespace base = trine::base;

namespace {

constexpr std::uint64_t kAddress = 1ULL << 32U;

base::UniqueFd file_of(const std::string& content) {
  base::UniqueFd file(::memfd_create("disk", MFD_CLOEXEC));
  base::write_all(file.get(), content, "a test's disk");
  return file;
}

std::string word(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

struct Fixture {
  MappedFile file{file_of(std::string(5000, 'x')).get()};
  Driver driver{std::make_unique<Pmem>(kAddress, file.size())};
  Chain chain;

  Fixture() {
    driver.memory().add_read_only({.guest_address = kAddress, .size = file.size(), .data = file.data()});
    driver.start();
  }
  Queue queue() {
    return *Queue::make(driver.memory(),
                        {.size = 16,
                         .descriptors = Driver::descriptors(0),
                         .available = Driver::available(0),
                         .used = Driver::used(0)},
                        256);
  }
};

}  // namespace

TEST_CASE("a mapped file is what the file holds, and zeros up to a whole unit") {
  const MappedFile file(file_of("content").get());
  CHECK(file.size() == MappedFile::kUnit);
  CHECK(std::string(reinterpret_cast<const char*>(file.data()), 8) == std::string("content\0", 8));
  CHECK(file.data()[file.size() - 1] == std::byte{0});
}

TEST_CASE("an empty file is no mapped disk") {
  CHECK_THROWS_AS(MappedFile(file_of("").get()), base::Error);
}

TEST_CASE("a mapped disk says where it lies") {
  Fixture fixture;
  CHECK(fixture.driver.read(0x100) == 0);
  CHECK(fixture.driver.read(0x104) == kAddress >> 32U);
  CHECK(fixture.driver.read(0x108) == MappedFile::kUnit);
}

TEST_CASE("a flush of a mapped disk has nothing to do, and another request fails") {
  Fixture fixture;
  CHECK(fixture.driver.request(0, word(0), 4) == word(0));
  CHECK(fixture.driver.request(0, word(7), 4) == word(1));
  CHECK(!fixture.driver.needs_reset());
}

TEST_CASE("half a request to a mapped disk is none") {
  Fixture fixture;
  fixture.driver.request(0, "ab", 4);
  CHECK(fixture.driver.needs_reset());
}

TEST_CASE("a device may read from a mapped disk, to its last byte") {
  Fixture fixture;
  Queue queue = fixture.queue();
  fixture.driver.put_descriptor(0, 0, {.address = kAddress + 4999, .length = 2});
  fixture.driver.offer(0, 0);
  REQUIRE(queue.pop(fixture.chain) == true);
  std::array<std::byte, 2> bytes{};
  CHECK(fixture.chain.read(0, bytes) == 2);
  CHECK(bytes == std::array{std::byte{'x'}, std::byte{0}});
}

TEST_CASE("nothing is written to a mapped disk, and nothing is behind it") {
  Fixture fixture;
  Queue queue = fixture.queue();
  const RawDescriptor bad = GENERATE_COPY(
      RawDescriptor{.address = kAddress, .length = 4, .flags = kWrite},
      RawDescriptor{.address = kAddress + MappedFile::kUnit - 1, .length = 2},
      RawDescriptor{.address = kAddress + MappedFile::kUnit, .length = 1},
      RawDescriptor{.address = kAddress - 1, .length = 2}, RawDescriptor{.address = UINT64_MAX, .length = 8});
  fixture.driver.put_descriptor(0, 0, bad);
  fixture.driver.offer(0, 0);
  const auto popped = queue.pop(fixture.chain);
  REQUIRE(!popped);
  CHECK(popped.error() == QueueError::kAddress);
}

TEST_CASE("the rings of a queue are not on a mapped disk") {
  const Fixture fixture;
  Driver other(std::make_unique<Pmem>(kAddress, fixture.file.size()));
  other.memory().add_read_only(
      {.guest_address = kAddress, .size = fixture.file.size(), .data = fixture.file.data()});
  const auto queue = Queue::make(
      other.memory(),
      {.size = 16, .descriptors = kAddress, .available = kAddress + 0x2000, .used = kAddress + 0x3000}, 256);
  REQUIRE(!queue);
  CHECK(queue.error() == QueueError::kAddress);
}
