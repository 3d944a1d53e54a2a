#include "virtio/queue.h"

#include <catch2/catch.hpp>

#include "devices/rng/rng.h"
#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr std::uint16_t kSize = 16;

struct Fixture {
  Driver driver{std::make_unique<Rng>()};
  Queue queue = *Queue::make(driver.memory(), layout(), 256);
  Chain chain;

  Fixture() { driver.start(kSize); }
  static QueueLayout layout() {
    return {.size = kSize,
            .descriptors = Driver::descriptors(0),
            .available = Driver::available(0),
            .used = Driver::used(0)};
  }
  QueueError error_of(const RawDescriptor& descriptor) {
    driver.put_descriptor(0, 0, descriptor);
    driver.offer(0, 0);
    const auto popped = queue.pop(chain);
    REQUIRE(!popped);
    return popped.error();
  }
};

QueueError layout_error(const QueueLayout& layout) {
  const GuestMemory memory({{.guest_address = 0, .size = kGuestBytes, .offset = 0}});
  const auto queue = Queue::make(memory, layout, 256);
  REQUIRE(!queue);
  return queue.error();
}

}  // namespace

TEST_CASE("a slice of guest memory lies in one range, whatever the numbers") {
  const GuestMemory memory({{.guest_address = 0, .size = 0x10000, .offset = 0},
                            {.guest_address = 0x100000, .size = 0x10000, .offset = 0x10000}});
  CHECK(memory.slice(0, 0x10000));
  CHECK(memory.slice(0xffff, 1));
  CHECK(memory.slice(0x100000, 0x10000));
  CHECK(!memory.slice(0, 0));
  CHECK(!memory.slice(0, 0x10001));
  CHECK(!memory.slice(0xffff, 2));
  CHECK(!memory.slice(0x10000, 1));
  CHECK(!memory.slice(0xfffff, 2));
  CHECK(!memory.slice(0x10ffff, UINT64_MAX));
  CHECK(!memory.slice(UINT64_MAX, 2));
}

TEST_CASE("a slice reads and writes nothing beyond its end") {
  const GuestMemory memory({{.guest_address = 0, .size = 0x1000, .offset = 0}});
  const GuestSlice slice = *memory.slice(0, 8);
  slice.store(0, std::uint64_t{0x1122334455667788});
  CHECK(slice.load<std::uint64_t>(0) == 0x1122334455667788);
  CHECK(slice.load<std::uint64_t>(1) == 0);
  slice.store(5, std::uint32_t{0xffffffff});
  CHECK(slice.load<std::uint64_t>(0) == 0x1122334455667788);
  CHECK(slice.part(4, 100).size() == 4);
  CHECK(slice.part(9, 1).size() == 0);
}

TEST_CASE("a queue of an impossible shape is refused") {
  const QueueLayout good = Fixture::layout();
  for (const std::uint16_t size : std::initializer_list<std::uint16_t>{0, 3, 512, 0x8000})
    CHECK(layout_error({size, good.descriptors, good.available, good.used}) == QueueError::kSize);
  CHECK(layout_error({kSize, good.descriptors + 8, good.available, good.used}) == QueueError::kAlignment);
  CHECK(layout_error({kSize, good.descriptors, good.available + 1, good.used}) == QueueError::kAlignment);
  CHECK(layout_error({kSize, good.descriptors, good.available, good.used + 2}) == QueueError::kAlignment);
  CHECK(layout_error({kSize, kGuestBytes - 16, good.available, good.used}) == QueueError::kAddress);
  CHECK(layout_error({kSize, good.descriptors, kGuestBytes, good.used}) == QueueError::kAddress);
  CHECK(layout_error({kSize, good.descriptors, good.available, UINT64_MAX - 3}) == QueueError::kAddress);
}

TEST_CASE_METHOD(Fixture, "a chain comes with its readable and writable parts") {
  driver.store(kData, "hello world");
  driver.put_descriptor(0, 3, {.address = kData, .length = 6, .flags = kNext, .next = 7});
  driver.put_descriptor(0, 7, {.address = kData + 6, .length = 5, .flags = kNext, .next = 1});
  driver.put_descriptor(0, 1, {.address = kData + 0x1000, .length = 4, .flags = kWrite | kNext, .next = 2});
  driver.put_descriptor(0, 2, {.address = kData + 0x2000, .length = 4, .flags = kWrite});
  driver.offer(0, 3);
  REQUIRE(queue.pop(chain).value());
  CHECK(chain.head == 3);
  CHECK(chain.readable_bytes == 11);
  CHECK(chain.writable_bytes == 8);
  std::string text(20, '\0');
  CHECK(chain.read(2, std::as_writable_bytes(std::span(text))) == 9);
  CHECK(text.substr(0, 9) == "llo world");
  CHECK(chain.write(2, std::as_bytes(std::span("abcdefgh", 8))) == 6);
  CHECK(driver.load(kData + 0x1002, 2) == "ab");
  CHECK(driver.load(kData + 0x2000, 4) == "cdef");
  queue.complete(chain, 6);
  CHECK(driver.used_index(0) == 1);
  CHECK(!queue.pop(chain).value());
}

TEST_CASE_METHOD(Fixture, "every way to break a chain has its name") {
  SECTION("beyond memory") {
    CHECK(error_of({.address = kGuestBytes - 1, .length = 2}) == QueueError::kAddress);
  }
  SECTION("an address that wraps") {
    CHECK(error_of({.address = UINT64_MAX, .length = 0xffffffff}) == QueueError::kAddress);
  }
  SECTION("empty") {
    CHECK(error_of({.address = kData, .length = 0}) == QueueError::kEmptyBuffer);
  }
  SECTION("an indirect table, which was not offered") {
    CHECK(error_of({.address = kData, .length = 16, .flags = 4}) == QueueError::kFlags);
  }
  SECTION("a loop") {
    CHECK(error_of({.address = kData, .length = 1, .flags = kNext, .next = 0}) == QueueError::kLoop);
  }
  SECTION("a next beyond the table") {
    CHECK(error_of({.address = kData, .length = 1, .flags = kNext, .next = kSize}) ==
          QueueError::kDescriptor);
  }
  SECTION("to read behind to write") {
    driver.put_descriptor(0, 1, {.address = kData, .length = 1});
    CHECK(error_of({.address = kData, .length = 1, .flags = kWrite | kNext, .next = 1}) ==
          QueueError::kOrder);
  }
  SECTION("a head beyond the table") {
    driver.offer(0, 0xffff);
    CHECK(queue.pop(chain).error() == QueueError::kDescriptor);
  }
  SECTION("more announced than the ring holds") {
    driver.set_available_index(0, kSize + 1);
    CHECK(queue.pop(chain).error() == QueueError::kAvailableIndex);
  }
}

TEST_CASE_METHOD(Fixture, "indices wrap around") {
  driver.put_descriptor(0, 0, {.address = kData, .length = 1});
  for (unsigned i = 0; i < 0x10010; ++i) {
    driver.offer(0, 0);
    REQUIRE(queue.pop(chain).value());
    queue.complete(chain, 0);
  }
  CHECK(driver.used_index(0) == 0x10);
  CHECK(!queue.pop(chain).value());
}
