#include "devices/block/block.h"

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr std::size_t kSectors = 16;

/// A disk of 16 sectors, each full of its number's letter.
struct Disk {
  int file = ::memfd_create("disk", MFD_CLOEXEC);
  std::unique_ptr<Driver> driver;

  explicit Disk(bool read_only = false) {
    for (std::size_t i = 0; i < kSectors; ++i)
      REQUIRE(::write(file, std::string(512, static_cast<char>('a' + i)).data(), 512) == 512);
    REQUIRE(::write(file, "rest", 4) == 4);
    driver = std::make_unique<Driver>(
        std::make_unique<Block>(trine::base::UniqueFd(file), read_only, "test-disk"));
    driver->start();
  }

  std::string run(std::uint32_t type, std::uint64_t sector, const std::string& data, std::uint32_t in) {
    std::string header(16, '\0');
    std::memcpy(header.data(), &type, 4);
    std::memcpy(header.data() + 8, &sector, 8);
    return driver->request(0, header + data, in);
  }
  [[nodiscard]] std::string content(std::size_t offset, std::size_t bytes) const {
    std::string text(bytes, '\0');
    REQUIRE(::pread(file, text.data(), bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes));
    return text;
  }
};

constexpr std::uint32_t kIn = 0, kOut = 1, kFlush = 4, kId = 8;

}  // namespace

TEST_CASE("a disk has the whole sectors of its file") {
  const Disk disk;
  CHECK(disk.driver->read(0x100) == kSectors);
}

TEST_CASE("sectors are read and written") {
  Disk disk;
  const std::string answer = disk.run(kIn, 3, "", 1025);
  CHECK(answer == std::string(512, 'd') + std::string(512, 'e') + '\0');
  CHECK(disk.run(kOut, 15, std::string(512, 'Z'), 1) == std::string(1, '\0'));
  CHECK(disk.content(15 * 512, 512) == std::string(512, 'Z'));
  CHECK(disk.run(kFlush, 0, "", 1) == std::string(1, '\0'));
}

TEST_CASE("nothing beyond a disk's end is read or written") {
  Disk disk;
  const std::string error(1, '\1');
  CHECK(disk.run(kIn, kSectors, "", 513).back() == '\1');
  CHECK(disk.run(kIn, kSectors - 1, "", 1025).back() == '\1');
  CHECK(disk.run(kIn, UINT64_MAX, "", 513).back() == '\1');
  CHECK(disk.run(kIn, UINT64_MAX / 512, "", 513).back() == '\1');
  CHECK(disk.run(kOut, kSectors, std::string(512, 'Z'), 1) == error);
  CHECK(disk.run(kIn, 0, "", 100).back() == '\1');
  CHECK(::lseek(disk.file, 0, SEEK_END) == kSectors * 512 + 4);
}

TEST_CASE("a read-only disk takes no write, and says so beforehand") {
  Disk disk(true);
  disk.driver->write(0x14, 0);
  CHECK((disk.driver->read(0x10) & (1U << 5U)) != 0);
  CHECK(disk.run(kOut, 0, std::string(512, 'Z'), 1) == std::string(1, '\1'));
  CHECK(disk.content(0, 512) == std::string(512, 'a'));
}

TEST_CASE("a disk tells its name, and refuses what it does not know") {
  Disk disk;
  CHECK(disk.run(kId, 0, "", 21).substr(0, 9) == "test-disk");
  CHECK(disk.run(11, 0, "", 1) == std::string(1, '\2'));
}

TEST_CASE("a disk request without a header or a place for the status is none") {
  Disk disk;
  SECTION("short header") {
    disk.driver->request(0, "short", 1);
  }
  SECTION("no status") {
    disk.run(kIn, 0, "", 0);
  }
  CHECK(disk.driver->needs_reset());
}

TEST_CASE("on a vCPU's thread a disk without a ring leaves to the loop what may wait") {
  Disk disk;
  CHECK(disk.driver->transport().device().serves_at_once(0));
  std::string header(16, '\0');
  header[0] = kOut;
  disk.driver->store(kData, header + std::string(512, 'Z'));
  disk.driver->put_descriptor(0, 0, {.address = kData, .length = 528, .flags = kNext, .next = 1});
  disk.driver->put_descriptor(0, 1, {.address = kData + 0x1000, .length = 1, .flags = kWrite});
  disk.driver->offer(0, 0);
  disk.driver->notify_at_once(0);
  CHECK(disk.driver->used_index(0) == 0);
  CHECK(disk.content(0, 1) == "a");
  CHECK(disk.driver->asked_again() == 1);
  disk.driver->notify(0);
  CHECK(disk.driver->used_index(0) == 1);
  CHECK(disk.content(0, 512) == std::string(512, 'Z'));
}

TEST_CASE("on a vCPU's thread a disk is read where its data are in memory") {
  Disk disk(true);
  disk.driver->store(kData, std::string(16, '\0'));
  disk.driver->put_descriptor(0, 0, {.address = kData, .length = 16, .flags = kNext, .next = 1});
  disk.driver->put_descriptor(0, 1, {.address = kData + 0x1000, .length = 513, .flags = kWrite});
  disk.driver->offer(0, 0);
  disk.driver->notify_at_once(0);
  if (disk.driver->asked_again() > 0)  // this kernel cannot tell of files in memory
    disk.driver->notify(0);
  CHECK(disk.driver->used_index(0) == 1);
  CHECK(disk.driver->load(kData + 0x1000, 513) == std::string(512, 'a') + '\0');
}
