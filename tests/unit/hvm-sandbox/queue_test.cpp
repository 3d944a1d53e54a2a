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

namespace {

constexpr std::uint16_t kIndirect = 4;
constexpr std::uint64_t kTable = kData + 0x10000;

struct AgreedFixture : Fixture {
  explicit AgreedFixture(bool indirect, bool event_index) {
    QueueLayout agreed = layout();
    agreed.indirect = indirect;
    agreed.event_index = event_index;
    queue = *Queue::make(driver.memory(), agreed, 256);
  }
  void put_in_table(std::uint16_t index, const RawDescriptor& descriptor) {
    driver.memory().slice(kTable + (index * 16U), 16)->store(0, descriptor);
  }
  /// Where the device says which chain it wants to be notified of.
  std::uint16_t wants_notice_of() {
    return driver.memory().slice(Driver::used(0) + 4 + (kSize * 8U), 2)->load_acquire(0);
  }
  void ask_for_interrupt_at(std::uint16_t index) {
    driver.memory().slice(Driver::available(0) + 4 + (kSize * 2U), 2)->store_release(0, index);
  }
  void complete_one() {
    driver.put_descriptor(0, 0, {.address = kData, .length = 8, .flags = kWrite});
    driver.offer(0, 0);
    REQUIRE(queue.pop(chain).value());
    queue.complete(chain, 8);
  }
};

}  // namespace

TEST_CASE("a chain may lie in a table of its own, if that was agreed on") {
  AgreedFixture with(true, false);
  with.put_in_table(0, {.address = kData, .length = 16, .flags = kNext, .next = 2});
  with.put_in_table(2, {.address = kData + 0x1000, .length = 32, .flags = kWrite});
  const RawDescriptor table{.address = kTable, .length = 3 * 16, .flags = kIndirect};
  with.driver.put_descriptor(0, 5, {.address = kData + 0x2000, .length = 4, .flags = kNext, .next = 6});
  with.driver.put_descriptor(0, 6, table);
  with.driver.offer(0, 5);
  REQUIRE(with.queue.pop(with.chain).value());
  CHECK(with.chain.head == 5);
  CHECK(with.chain.readable_bytes == 20);
  CHECK(with.chain.writable_bytes == 32);
  Fixture without;
  CHECK(without.error_of(table) == QueueError::kFlags);
}

TEST_CASE("a table of a chain's own is checked as the queue's is") {
  AgreedFixture fixture(true, false);
  fixture.put_in_table(0, {.address = kData, .length = 16, .flags = kNext, .next = 0});
  const RawDescriptor good{.address = kTable, .length = 64 * 16, .flags = kIndirect};
  SECTION("no whole entry") {
    CHECK(fixture.error_of({.address = kTable, .length = 15, .flags = kIndirect}) == QueueError::kDescriptor);
  }
  SECTION("empty") {
    CHECK(fixture.error_of({.address = kTable, .length = 0, .flags = kIndirect}) == QueueError::kDescriptor);
  }
  SECTION("not in memory") {
    CHECK(fixture.error_of({.address = kGuestBytes - 16, .length = 32, .flags = kIndirect}) ==
          QueueError::kAddress);
  }
  SECTION("followed by another") {
    CHECK(fixture.error_of({.address = kTable, .length = 32, .flags = kIndirect | kNext}) ==
          QueueError::kFlags);
  }
  SECTION("without end") {
    CHECK(fixture.error_of(good) == QueueError::kLoop);
  }
  SECTION("an entry beyond it") {
    fixture.put_in_table(0, {.address = kData, .length = 16, .flags = kNext, .next = 64});
    CHECK(fixture.error_of(good) == QueueError::kDescriptor);
  }
  SECTION("another table in it") {
    fixture.put_in_table(0, {.address = kTable, .length = 32, .flags = kIndirect});
    CHECK(fixture.error_of(good) == QueueError::kFlags);
  }
  SECTION("longer than the queue") {
    for (std::uint16_t i = 0; i <= kSize; ++i)
      fixture.put_in_table(i, {.address = kData,
                               .length = 16,
                               .flags = i < kSize ? kNext : std::uint16_t{0},
                               .next = static_cast<std::uint16_t>(i + 1)});
    CHECK(fixture.error_of(good) == QueueError::kLoop);
  }
}

TEST_CASE("a driver is asked to notify only where the queue was found empty") {
  AgreedFixture fixture(false, true);
  fixture.complete_one();
  fixture.complete_one();
  CHECK(fixture.wants_notice_of() == 0);
  CHECK(!fixture.queue.pop(fixture.chain).value());
  CHECK(fixture.wants_notice_of() == 2);
}

TEST_CASE("a driver is interrupted when the index that it waits for was written") {
  AgreedFixture fixture(false, true);
  fixture.ask_for_interrupt_at(1);
  fixture.complete_one();
  CHECK(!fixture.queue.wants_interrupt());
  fixture.complete_one();
  CHECK(fixture.queue.wants_interrupt());
  CHECK(!fixture.queue.wants_interrupt());
  fixture.complete_one();
  CHECK(!fixture.queue.wants_interrupt());
  // Several at once, up to the end of the numbers.
  fixture.ask_for_interrupt_at(100);
  for (unsigned i = 0; i < 65532; ++i)
    fixture.complete_one();
  CHECK(fixture.queue.wants_interrupt());
  fixture.ask_for_interrupt_at(0);
  fixture.complete_one();
  CHECK(!fixture.queue.wants_interrupt());
  fixture.complete_one();
  CHECK(fixture.queue.wants_interrupt());
}
