#include <catch2/catch.hpp>

#include <array>
#include <cstring>

#include "devices/balloon/balloon.h"
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

TEST_CASE("a window says what the registers do, after every change") {
  alignas(8) std::array<std::byte, MmioTransport::kWindow> page{};
  const GuestMemory memory({{.guest_address = 0, .size = 64 << 20, .offset = 0}});
  auto made = std::make_unique<Balloon>(memory);
  Balloon& balloon = *made;
  unsigned interrupts = 0;
  MmioTransport transport(std::move(made), memory,
                          {.interrupt = [&] { ++interrupts; }, .serve_again = {}, .window = page});
  const auto shown = [&](std::size_t offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, page.data() + offset, sizeof value);
    return value;
  };
  const auto read = [&](std::size_t offset) {
    std::uint32_t value = 0;
    transport.read(offset, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  };
  const auto write = [&](std::size_t offset, std::uint32_t value) {
    transport.write(offset, std::as_bytes(std::span(&value, 1)));
  };
  const auto is_true = [&] {
    for (std::size_t offset = 0; offset < 0x140; offset += 4) {
      CAPTURE(offset);
      REQUIRE(shown(offset) == read(offset));
    }
  };
  CHECK(shown(0) == 0x74726976);
  is_true();
  write(0x14, 1);
  CHECK(shown(0x10) == 1);  // VIRTIO_F_VERSION_1
  is_true();
  for (const auto& [offset, value] :
       {std::pair{0x24U, 1U}, {0x20U, 1U}, {0x70U, 3U}, {0x70U, 11U}, {0x70U, 15U}})
    write(offset, value);
  CHECK(shown(0x70) == 15);
  is_true();
  const std::uint32_t generation = shown(0xfc);
  REQUIRE(balloon.set_wanted(4096));
  CHECK(interrupts == 1);
  CHECK(shown(0x60) == 3);  // used buffers always, and a change of the configuration
  CHECK(shown(0x100) == 1);
  CHECK(shown(0xfc) != generation);
  is_true();
  write(0x64, 3);
  CHECK(shown(0x60) == 1);
  write(0x104, 7);
  CHECK(shown(0x104) == 7);
  is_true();
  write(0x70, 0);
  CHECK(shown(0x70) == 0);
  is_true();
}
