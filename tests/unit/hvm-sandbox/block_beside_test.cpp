#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "devices/block/block.h"
#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSectors = 64;
constexpr std::uint32_t kIn = 0, kOut = 1, kFlush = 4;

/// A disk of 64 sectors in a file, each full of its number's letter, whose requests go on beside others.
struct Disk {
  EventLoop loop;
  int file = -1;
  std::unique_ptr<Driver> driver;
  std::uint16_t offered = 0;

  explicit Disk(const RateLimits& limits = {}, int given = -1) : file(given) {
    if (file < 0) {
      std::string path = "/tmp/trine-disk.XXXXXX";
      file = ::mkostemp(path.data(), O_CLOEXEC);
      REQUIRE(file >= 0);
      ::unlink(path.c_str());
    }
    for (std::size_t i = 0; i < kSectors; ++i)
      REQUIRE(::write(file, std::string(512, letter(i)).data(), 512) == 512);
    auto block = std::make_unique<Block>(trine::base::UniqueFd(::dup(file)), false, "test");
    block->serve_beside(loop);
    if (limits.any())
      block->limit(loop, limits);
    driver = std::make_unique<Driver>(std::move(block));
    driver->start();
  }
  ~Disk() {
    driver.reset();
    ::close(file);
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  static char letter(std::size_t sector) { return static_cast<char>('A' + sector % 50); }
  static std::uint64_t header_of(unsigned slot) { return kData + (slot * 0x4000U); }
  static std::uint64_t data_of(unsigned slot) { return header_of(slot) + 0x1000; }
  static std::uint64_t status_of(unsigned slot) { return header_of(slot) + 0x100; }

  /// Puts a request into the queue, with buffers of its slot (0 to 4); without a notification.
  void offer(unsigned slot, std::uint32_t type, std::uint64_t sector, std::uint32_t bytes) {
    std::string header(16, '\0');
    std::memcpy(header.data(), &type, 4);
    std::memcpy(header.data() + 8, &sector, 8);
    driver->store(header_of(slot), header);
    driver->store(status_of(slot), "\xee");
    const auto first = static_cast<std::uint16_t>(slot * 3);
    const std::uint16_t data_flags = type == kIn ? kNext | kWrite : kNext;
    driver->put_descriptor(0, first,
                           {.address = header_of(slot),
                            .length = 16,
                            .flags = kNext,
                            .next = static_cast<std::uint16_t>(first + (bytes > 0 ? 1 : 2))});
    driver->put_descriptor(0, first + 1,
                           {.address = data_of(slot),
                            .length = bytes,
                            .flags = data_flags,
                            .next = static_cast<std::uint16_t>(first + 2)});
    driver->put_descriptor(0, first + 2, {.address = status_of(slot), .length = 1, .flags = kWrite});
    driver->offer(0, first);
    ++offered;
  }
  void notify() { driver->notify(0); }
  void look() {
    loop.stop();
    loop.run();
  }
  /// Until all that was offered is done.
  bool settle() {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (driver->used_index(0) != offered && std::chrono::steady_clock::now() < end)
      look();
    return driver->used_index(0) == offered;
  }
  char status(unsigned slot) { return driver->load(status_of(slot), 1)[0]; }
  /// The slot of the used ring's entry.
  unsigned used_slot(unsigned index) {
    return driver->memory().slice(Driver::used(0) + 4 + ((index % 16) * 8U), 8)->load<std::uint32_t>(0) / 3;
  }
};

}  // namespace

TEST_CASE("reads and writes beside one another give what is on the disk") {
  Disk disk;
  for (int round = 0; round < 20; ++round) {
    (void)::posix_fadvise(disk.file, 0, 0, POSIX_FADV_DONTNEED);
    disk.driver->store(Disk::data_of(0), std::string(1024, static_cast<char>('0' + round)));
    disk.offer(0, kOut, 10, 1024);
    disk.offer(1, kIn, 3, 512);
    disk.offer(2, kIn, 60, 2048);
    disk.notify();
    REQUIRE(disk.settle());
    CHECK(disk.status(0) == 0);
    CHECK(disk.driver->load(Disk::data_of(1), 512) == std::string(512, Disk::letter(3)));
    CHECK(disk.driver->load(Disk::data_of(2) + 1536, 512) == std::string(512, Disk::letter(63)));
    std::string written(1024, '\0');
    REQUIRE(::pread(disk.file, written.data(), 1024, 10 * 512) == 1024);
    CHECK(written == std::string(1024, static_cast<char>('0' + round)));
  }
}

TEST_CASE("a flush is done after every write that was asked for before it") {
  Disk disk;
  for (int round = 0; round < 50; ++round) {
    const auto before = disk.driver->used_index(0);
    for (unsigned slot = 0; slot < 4; ++slot)
      disk.offer(slot, kOut, slot * 8, 4096);
    disk.offer(4, kFlush, 0, 0);
    disk.notify();
    REQUIRE(disk.settle());
    CHECK(disk.used_slot(before + 4U) == 4);
    for (unsigned slot = 0; slot < 5; ++slot)
      CHECK(disk.status(slot) == 0);
  }
}

TEST_CASE("a disk whose file became shorter gives errors there, and goes on elsewhere") {
  Disk disk;
  REQUIRE(::ftruncate(disk.file, 32 * 512) == 0);
  disk.offer(0, kIn, 40, 512);
  disk.offer(1, kIn, 31, 1024);
  disk.offer(2, kIn, 31, 512);
  disk.notify();
  REQUIRE(disk.settle());
  CHECK(disk.status(0) == 1);
  CHECK(disk.status(1) == 1);
  CHECK(disk.status(2) == 0);
  CHECK_FALSE(disk.driver->needs_reset());
}

TEST_CASE("a disk that takes no more writes says so for each, and is read on") {
  const int file = ::memfd_create("disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  Disk disk({}, file);
  REQUIRE(::fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == 0);
  for (int round = 0; round < 2; ++round) {
    disk.offer(0, kOut, 0, 512);
    disk.offer(1, kIn, 5, 512);
    disk.notify();
    REQUIRE(disk.settle());
    CHECK(disk.status(0) == 1);
    CHECK(disk.status(1) == 0);
    CHECK(disk.driver->load(Disk::data_of(1), 512) == std::string(512, Disk::letter(5)));
  }
}

TEST_CASE("after a reset of a disk nothing is written into the guest's memory any more") {
  Disk disk;
  for (int round = 0; round < 50; ++round) {
    (void)::posix_fadvise(disk.file, 0, 0, POSIX_FADV_DONTNEED);
    for (unsigned slot = 0; slot < 5; ++slot)
      disk.offer(slot, kIn, slot * 8, 4096);
    disk.notify();
    disk.driver->write(0x70, 0);
    for (unsigned slot = 0; slot < 5; ++slot)
      disk.driver->store(Disk::data_of(slot), std::string(4096, '-'));
    disk.look();
    for (unsigned slot = 0; slot < 5; ++slot)
      CHECK(disk.driver->load(Disk::data_of(slot), 4096) == std::string(4096, '-'));
    disk.driver->forget();
    disk.driver->start();
    disk.offered = 0;
  }
}

TEST_CASE("a disk that is limited keeps requests waiting, in order") {
  Disk disk({.bytes = 10'240, .count = 0});
  disk.offer(0, kIn, 0, 10'240 - 512);
  disk.notify();
  REQUIRE(disk.settle());
  const auto begin = std::chrono::steady_clock::now();
  disk.offer(1, kIn, 1, 1024);
  disk.offer(2, kIn, 2, 512);
  disk.notify();
  CHECK(disk.driver->used_index(0) == 1);
  REQUIRE(disk.settle());
  CHECK(std::chrono::steady_clock::now() - begin >= 90ms);
  CHECK(disk.used_slot(1) == 1);
  CHECK(disk.used_slot(2) == 2);
}

TEST_CASE("a disk that is limited to requests counts them") {
  Disk disk({.bytes = 0, .count = 4});
  for (unsigned slot = 0; slot < 5; ++slot)
    disk.offer(slot, kIn, slot, 512);
  disk.notify();
  disk.look();
  CHECK(disk.driver->used_index(0) <= 4);
  CHECK(disk.settle());
}
