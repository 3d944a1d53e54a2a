#include <catch2/catch.hpp>

#include "devices/console/console.h"
#include "devices/rng/rng.h"
#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {
constexpr std::uint32_t kFeaturesOk = 8;
constexpr std::uint32_t kDriverOk = 4;
}  // namespace

TEST_CASE("a driver recognises the device") {
  Driver driver(std::make_unique<Rng>());
  CHECK(driver.read(0x00) == 0x74726976);
  CHECK(driver.read(0x04) == 2);
  CHECK(driver.read(0x08) == 4);
  CHECK(driver.read(0x34) == Device::kMostEntries);
  driver.write(0x30, 1);
  CHECK(driver.read(0x34) == 0);
}

TEST_CASE("features that were not offered, or too few, are not accepted") {
  Driver driver(std::make_unique<Rng>());
  driver.write(0x70, 3);
  SECTION("one that the device does not know") {
    driver.write(0x24, 0);
    driver.write(0x20, 1U << 28U);
    driver.write(0x24, 1);
    driver.write(0x20, 1);
  }
  SECTION("without VIRTIO_F_VERSION_1") {
    driver.write(0x20, 0);
  }
  driver.write(0x70, 3 | kFeaturesOk);
  CHECK((driver.read(0x70) & kFeaturesOk) == 0);
  driver.write(0x70, 3 | kFeaturesOk | kDriverOk);
  CHECK((driver.read(0x70) & kDriverOk) == 0);
}

TEST_CASE("queues are frozen once the driver is ready, until it resets the device") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  driver.write(0x30, 0);
  driver.write(0x80, 0xfffffff0);
  driver.write(0x44, 0);
  CHECK(driver.read(0x44) == 1);
  CHECK(driver.request(0, "", 8).size() == 8);
  driver.write(0x70, 0);
  CHECK(driver.read(0x44) == 0);
  CHECK(driver.read(0x70) == 0);
}

TEST_CASE("a driver that breaks the rules gets a device that is dead until it is reset") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  driver.put_descriptor(0, 0, {.address = kGuestBytes, .length = 1, .flags = kWrite});
  driver.offer(0, 0);
  driver.notify(0);
  CHECK(driver.needs_reset());
  CHECK((driver.read(0x60) & 2U) != 0);
  CHECK(driver.transport().failure() == QueueError::kAddress);
  const unsigned interrupts = driver.interrupts();
  driver.notify(0);
  CHECK(driver.interrupts() == interrupts);
  driver.write(0x70, 0);
  CHECK(!driver.needs_reset());
}

TEST_CASE("a queue that cannot be is noticed when it is made ready") {
  Driver driver(std::make_unique<Rng>());
  driver.write(0x70, 3);
  driver.set_up_queue(0, 12);
  CHECK(driver.read(0x44) == 0);
  CHECK(driver.needs_reset());
}

TEST_CASE("a notification without a queue, or before the driver is ready, is nothing") {
  Driver driver(std::make_unique<Rng>());
  driver.notify(0);
  driver.notify(0xffffffff);
  driver.start();
  driver.notify(1);
  driver.notify(0xffffffff);
  CHECK(driver.interrupts() == 0);
  CHECK(!driver.needs_reset());
}

TEST_CASE("accesses of odd sizes and places are ignored") {
  Driver driver(std::make_unique<Rng>());
  std::array<std::byte, 8> bytes{};
  bytes.fill(std::byte{0xaa});
  driver.transport().read(0x02, std::span(bytes).first(4));
  CHECK(bytes[0] == std::byte{0});
  bytes.fill(std::byte{0xaa});
  driver.transport().read(0xffc, bytes);
  CHECK(bytes[7] == std::byte{0});
  driver.transport().write(0x70, std::span(bytes).first(1));
  driver.transport().write(0x100, bytes);
  CHECK(driver.read(0x70) == 0);
}

TEST_CASE("an interrupt is told, acknowledged, and left out for who does not want it") {
  Driver driver(std::make_unique<Rng>());
  driver.start();
  driver.request(0, "", 8);
  CHECK(driver.interrupts() == 1);
  CHECK(driver.read(0x60) == 1);
  driver.write(0x64, 1);
  CHECK(driver.read(0x60) == 0);
  driver.memory().slice(Driver::available(0), 2)->store(0, std::uint16_t{1});
  driver.request(0, "", 8);
  CHECK(driver.interrupts() == 1);
}
