#include "devices/balloon/balloon.h"

#include <catch2/catch.hpp>
#include <sys/mman.h>

#include <algorithm>
#include <array>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr std::uint32_t kPage = 4096;
constexpr std::uint64_t kFree = 0x200000;  ///< from here on nobody needs the memory
constexpr std::uint32_t kFreePage = kFree / kPage;
constexpr unsigned kInflate = 0, kDeflate = 1, kReports = 2;

struct Guest {
  Balloon* balloon = nullptr;
  Driver driver{[this](const GuestMemory& memory) {
    auto made = std::make_unique<Balloon>(memory);
    balloon = made.get();
    return made;
  }};

  Guest() { driver.start(); }

  void fill(std::uint64_t page) { driver.store(page * kPage, std::string(kPage, 'x')); }
  bool has(std::uint64_t page) { return driver.load(page * kPage, kPage) == std::string(kPage, 'x'); }
  void inflate(const std::vector<std::uint32_t>& pages, unsigned queue = kInflate) {
    driver.request(queue, std::string(reinterpret_cast<const char*>(pages.data()), pages.size() * 4), 0);
  }
  void report(std::uint64_t address, std::uint32_t length) {
    driver.put_descriptor(kReports, 0, {.address = address, .length = length, .flags = kWrite});
    driver.offer(kReports, 0);
    driver.notify(kReports);
  }
  /// Whether the host keeps memory for a page.
  bool is_resident(std::uint64_t page) {
    unsigned char in = 0;
    REQUIRE(::mincore(driver.memory().slice(page * kPage, kPage)->data(), kPage, &in) == 0);
    return (in & 1U) != 0;
  }
};

}  // namespace

TEST_CASE("pages that the guest puts into the balloon are given back, in any order, and no others") {
  Guest guest;
  for (std::uint32_t i = 0; i < 8; ++i)
    guest.fill(kFreePage + i);
  guest.inflate({kFreePage + 3, kFreePage + 1, kFreePage + 2, kFreePage + 7});
  const std::array<bool, 8> left{true, false, false, false, true, true, true, false};
  for (std::uint32_t i = 0; i < 8; ++i) {
    CHECK(guest.is_resident(kFreePage + i) == left[i]);
    CHECK(guest.has(kFreePage + i) == left[i]);
  }
  CHECK(guest.driver.used_index(kInflate) == 1);
  CHECK_FALSE(guest.driver.needs_reset());
}

TEST_CASE("a page that the guest takes back from the balloon can be used again") {
  Guest guest;
  guest.fill(kFreePage);
  guest.inflate({kFreePage});
  guest.inflate({kFreePage}, kDeflate);
  CHECK(guest.driver.used_index(kDeflate) == 1);
  guest.fill(kFreePage);
  CHECK(guest.has(kFreePage));
}

TEST_CASE("a balloon takes no page that is not memory, and no list that a driver does not send") {
  Guest guest;
  SECTION("a page beyond the end") {
    guest.inflate({kGuestBytes / kPage});
  }
  SECTION("the last page that a number can name") {
    guest.inflate({UINT32_MAX});
  }
  SECTION("pages up to the end and one more") {
    guest.inflate({kGuestBytes / kPage - 1, kGuestBytes / kPage});
  }
  SECTION("half a number") {
    guest.driver.request(kInflate, "12345", 0);
  }
  SECTION("more than a driver sends") {
    guest.driver.request(kInflate, std::string(64 << 10, '\0'), 0);
  }
  CHECK(guest.driver.needs_reset());
}

TEST_CASE("what the guest reports as free is given back, whole pages only") {
  Guest guest;
  for (std::uint32_t i = 0; i < 4; ++i)
    guest.fill(kFreePage + i);
  SECTION("pages") {
    guest.report(kFree, 4 * kPage);
    for (std::uint32_t i = 0; i < 4; ++i)
      CHECK_FALSE(guest.is_resident(kFreePage + i));
  }
  SECTION("a part of the first and of the last") {
    guest.report(kFree + 1, (4 * kPage) - 2);
    CHECK(guest.has(kFreePage));
    CHECK_FALSE(guest.is_resident(kFreePage + 1));
    CHECK_FALSE(guest.is_resident(kFreePage + 2));
    CHECK(guest.has(kFreePage + 3));
  }
  SECTION("less than a page") {
    guest.report(kFree + 1, kPage);
    CHECK(guest.has(kFreePage));
    CHECK(guest.has(kFreePage + 1));
  }
  CHECK(guest.driver.used_index(kReports) == 1);
  CHECK_FALSE(guest.driver.needs_reset());
}

TEST_CASE("a report of what is not memory gives nothing back") {
  Guest guest;
  guest.report(kGuestBytes - kPage, 2 * kPage);
  CHECK(guest.driver.needs_reset());
}

TEST_CASE("a guest hears how much it is to give back, and tells how much it has given") {
  const GuestMemory memory({{.guest_address = 0, .size = 64 << 20, .offset = 0}});
  auto made = std::make_unique<Balloon>(memory);
  Balloon& balloon = *made;
  Driver driver(std::move(made));
  CHECK_FALSE(balloon.set_wanted(1 << 20));  // nobody there
  driver.start();
  const unsigned interrupts = driver.interrupts();
  const std::uint32_t generation = driver.read(0xfc);
  REQUIRE(balloon.set_wanted(1 << 20));
  CHECK(driver.interrupts() == interrupts + 1);
  CHECK((driver.read(0x60) & 2U) != 0);  // a change of the configuration
  CHECK(driver.read(0xfc) != generation);
  CHECK(driver.read(0x100) == 256);
  driver.write(0x104, 200);
  CHECK(balloon.given() == 200 * kPage);
  CHECK(driver.read(0x104) == 200);
  driver.write(0x100, 7);  // not the driver's to change
  CHECK(balloon.wanted() == 1 << 20);
  REQUIRE(balloon.set_wanted(UINT64_MAX));
  CHECK(balloon.wanted() == 32 << 20);  // the rest is the kernel's
  driver.write(0x70, 0);
  CHECK(balloon.given() == 0);
  CHECK_FALSE(balloon.set_wanted(1));
}
