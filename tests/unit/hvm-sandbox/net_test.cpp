#include "devices/net/net.h"

#include <catch2/catch.hpp>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr unsigned kReceive = 0, kTransmit = 1;
constexpr std::size_t kHeader = Net::kHeaderBytes;
constexpr std::uint16_t kRing = 16;

// As the driver's of Linux says it: class, command and the number of pairs.
std::string set_pairs(unsigned pairs) {
  return {4, 0, static_cast<char>(pairs & 0xffU), static_cast<char>(pairs >> 8U)};
}
const std::string kOk(1, '\0');
const std::string kError(1, '\1');
constexpr std::uint64_t kMultiQueue = 1ULL << 22U;

/// An interface whose tap is a socket for each of its queues, which keeps packets apart, as a tap does.
struct Cable {
  EventLoop loop;
  trine::base::UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::vector<trine::base::UniqueFd> hosts;
  std::unique_ptr<Driver> driver;

  explicit Cable(NetOptions options = {.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1400}, unsigned pairs = 1) {
    std::vector<trine::base::UniqueFd> taps;
    for (unsigned i = 0; i < pairs; ++i) {
      int ends[2];
      REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
      hosts.emplace_back(ends[0]);
      taps.emplace_back(ends[1]);
    }
    driver = std::make_unique<Driver>(std::make_unique<Net>(std::move(taps), options, loop));
    driver->start(kRing);
    REQUIRE(loop.watch(bell.get(), EPOLLIN, [this](std::uint32_t /*events*/) {
      std::uint64_t count = 0;
      (void)!::read(bell.get(), &count, sizeof count);
      loop.stop();
    }));
  }
  explicit Cable(unsigned pairs) : Cable({.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1400}, pairs) {}
  ~Cable() { driver.reset(); }
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  /// Whatever is to happen now happens: the loop ends one turn after its bell was rung.
  void turn() {
    const std::uint64_t one = 1;
    REQUIRE(::write(bell.get(), &one, sizeof one) == sizeof one);
    loop.run();
  }
  /// A packet with an empty header.
  void send(const std::string& packet, unsigned pair = 0) {
    const std::string whole = std::string(kHeader, '\0') + packet;
    REQUIRE(::send(hosts.at(pair).get(), whole.data(), whole.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(whole.size()));
    turn();
  }
  std::string taken(unsigned pair = 0) const {
    std::string whole(70000, '\0');
    const ssize_t got = ::recv(hosts.at(pair).get(), whole.data(), whole.size(), MSG_DONTWAIT);
    whole.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return whole;
  }
  /// What the guest got since entry `from`: the packets' bytes, with the first's header, and how many
  /// buffers.
  std::string got(std::uint16_t from = 0, unsigned queue = kReceive) {
    std::string all;
    for (std::uint16_t i = from; i != driver->used_index(queue); ++i)
      all += driver->used_bytes(queue, i);
    return all;
  }
  /// The answer to a command; by the queue behind all pairs.
  std::string command(const std::string& words) {
    return driver->request(driver->transport().device().queue_count() - 1, words, 1);
  }
  void offer_buffers(unsigned queue, int count, std::uint32_t bytes = 512) {
    for (int i = 0; i < count; ++i)
      driver->offer_buffer(queue, bytes);
    driver->notify(queue);
  }
};

std::string letters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += static_cast<char>('a' + (i % 23));
  return text;
}

}  // namespace

TEST_CASE("an interface tells its address, MTU and link") {
  const Cable cable;
  CHECK(cable.driver->read(0x100) == 0x00000002);
  CHECK(cable.driver->read(0x104) == 0x00010900);
  CHECK(cable.driver->read(0x108) == (1400U << 16U));
}

TEST_CASE("a packet of the guest reaches the tap with its header, and its buffer comes back") {
  Cable cable;
  const std::string packet = std::string(kHeader, '\0') + letters(1000);
  cable.driver->store(kData, packet);
  cable.driver->put_descriptor(kTransmit, 0,
                               {.address = kData, .length = kHeader, .flags = kNext, .next = 1});
  cable.driver->put_descriptor(kTransmit, 1, {.address = kData + kHeader, .length = 1000});
  cable.driver->offer(kTransmit, 0);
  cable.driver->notify(kTransmit);
  CHECK(cable.taken() == packet);
  CHECK(cable.driver->used_index(kTransmit) == 1);
  CHECK(cable.driver->interrupts() == 1);
}

TEST_CASE("a packet for the guest takes as many buffers as it needs, which come together") {
  Cable cable;
  for (int i = 0; i < 4; ++i)
    cable.driver->offer_buffer(kReceive, 512);
  cable.driver->notify(kReceive);
  const std::string packet = letters(1200);
  cable.send(packet);
  CHECK(cable.driver->used_index(kReceive) == 3);
  const std::string got = cable.got();
  CHECK(got.substr(kHeader) == packet);
  CHECK(got.substr(10, 2) == std::string("\3\0", 2));
  cable.send("small");
  CHECK(cable.driver->used_index(kReceive) == 4);
  CHECK(cable.got(3).substr(kHeader) == "small");
}

TEST_CASE("what finds no buffer waits for one, and is neither lost nor cut") {
  Cable cable;
  const std::string packet = letters(1300);
  cable.send("first");
  cable.send(packet);
  CHECK(cable.driver->used_index(kReceive) == 0);
  cable.driver->offer_buffer(kReceive, 256);
  cable.driver->offer_buffer(kReceive, 256);
  cable.driver->notify(kReceive);
  CHECK(cable.got().substr(kHeader) == "first");
  for (int i = 0; i < 6; ++i) {
    cable.driver->offer_buffer(kReceive, 256);
    cable.driver->notify(kReceive);
  }
  CHECK(cable.got(1).substr(kHeader) == packet);
}

TEST_CASE("a packet for which the whole ring has no room is dropped, and the next one comes") {
  Cable cable;
  for (int i = 0; i < kRing; ++i)
    cable.driver->offer_buffer(kReceive, 64);
  cable.driver->notify(kReceive);
  cable.send(letters(2000));
  cable.send("next");
  CHECK(cable.driver->used_index(kReceive) == 1);
  CHECK(cable.got().substr(kHeader) == "next");
}

TEST_CASE("a tap that takes nothing holds the guest's packets, in order, until it does") {
  Cable cable;
  int count = 0;
  const auto offer = [&] {
    const auto slot = static_cast<std::uint16_t>(count % kRing);
    const std::uint64_t address = kData + (64U * slot);
    cable.driver->store(address, std::string(kHeader, '\0') + std::to_string(count) + "   ");
    cable.driver->put_descriptor(kTransmit, slot, {.address = address, .length = kHeader + 4});
    cable.driver->offer(kTransmit, slot);
    cable.driver->notify(kTransmit);
    ++count;
  };
  while (cable.driver->used_index(kTransmit) == count && count < 5000)
    offer();
  REQUIRE(count < 5000);
  for (int i = 0; i < count; ++i) {
    CHECK(std::stoi(cable.taken().substr(kHeader)) == i);
    cable.turn();
  }
  CHECK(cable.driver->used_index(kTransmit) == count);
}

TEST_CASE("a tap that is gone is a link that is down, and what the guest sends is dropped") {
  Cable cable;
  cable.driver->offer_buffer(kReceive, 512);
  cable.driver->notify(kReceive);
  const std::uint32_t generation = cable.driver->read(0xfc);
  ::shutdown(cable.hosts[0].get(), SHUT_RDWR);
  cable.turn();
  CHECK(cable.driver->read(0x104) == 0x00000900);
  CHECK(cable.driver->read(0xfc) != generation);
  CHECK((cable.driver->read(0x60) & 2U) != 0);
  cable.driver->request(kTransmit, std::string(kHeader + 60, 'x'), 0);
  CHECK(cable.driver->used_index(kTransmit) == 1);
  CHECK_FALSE(cable.driver->needs_reset());
}

TEST_CASE("a driver that was reset begins anew") {
  Cable cable;
  for (int i = 0; i < 4; ++i)
    cable.driver->offer_buffer(kReceive, 512);
  cable.driver->notify(kReceive);
  cable.send("one");
  cable.driver->write(0x70, 0);
  cable.send("for nobody");
  CHECK(cable.driver->read(0x70) == 0);
}

TEST_CASE(
    "a packet without its header, or a buffer to receive into that cannot be written, is a broken rule") {
  Cable cable;
  SECTION("short header") {
    cable.driver->request(kTransmit, "short", 0);
  }
  SECTION("something to write in what is sent") {
    cable.driver->request(kTransmit, std::string(kHeader + 60, 'x'), 60);
  }
  SECTION("something to read in what is received") {
    cable.driver->request(kReceive, std::string(100, 'x'), 2000);
    cable.send("packet");
  }
  CHECK(cable.driver->needs_reset());
}

TEST_CASE("limits hold up packets in both directions, and let them go on") {
  using Clock = std::chrono::steady_clock;
  Cable cable({.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1400, .limits = {.bytes = 1000, .count = 50}});
  cable.driver->store(kData, std::string(kHeader, '\0') + letters(900));
  const auto begin = Clock::now();
  constexpr std::uint16_t kPackets = 3;
  for (std::uint16_t i = 0; i < kPackets; ++i) {
    cable.driver->put_descriptor(kTransmit, i, {.address = kData, .length = kHeader + 900});
    cable.driver->offer(kTransmit, i);
    cable.driver->offer_buffer(kReceive, 2000);
  }
  cable.driver->notify(kTransmit);
  CHECK(cable.driver->used_index(kTransmit) == 1);  // in the beginning there is a second's worth
  cable.driver->notify(kReceive);
  for (std::uint16_t i = 0; i < kPackets; ++i)
    cable.send(letters(900));
  CHECK(cable.driver->used_index(kReceive) == 2);  // the size of the second was not known before
  const auto waits = [&] {
    return cable.driver->used_index(kTransmit) < kPackets || cable.driver->used_index(kReceive) < kPackets;
  };
  while (waits() && Clock::now() - begin < std::chrono::seconds(20))
    cable.turn();
  CHECK(!waits());
  CHECK(Clock::now() - begin >= std::chrono::milliseconds(1500));  // 1,700 bytes more than that
}

TEST_CASE("an interface of several queues tells how many, and has one more for commands") {
  const Cable one;
  one.driver->write(0x14, 0);
  CHECK((one.driver->read(0x10) & (kMultiQueue | (1U << 17U))) == 0);
  CHECK(one.driver->transport().device().queue_count() == 2);
  const Cable cable(3);
  cable.driver->write(0x14, 0);
  CHECK((cable.driver->read(0x10) & kMultiQueue) != 0);
  CHECK(cable.driver->read(0x108) == ((1400U << 16U) | 3U));
  CHECK(cable.driver->transport().device().queue_count() == 7);
}

TEST_CASE("each pair in use has packets of its own, both ways") {
  Cable cable(8);
  CHECK(cable.command(set_pairs(8)) == kOk);
  for (unsigned pair = 0; pair < 8; ++pair) {
    cable.offer_buffers(2 * pair, 2);
    cable.send("to " + std::to_string(pair), pair);
    CHECK(cable.got(0, 2 * pair).substr(kHeader) == "to " + std::to_string(pair));
    cable.driver->request((2 * pair) + 1, std::string(kHeader, '\0') + "from " + std::to_string(pair), 0);
    CHECK(cable.taken(pair).substr(kHeader) == "from " + std::to_string(pair));
  }
}

TEST_CASE("what comes by a queue of the tap beyond the pairs in use comes by these") {
  Cable cable(4);
  cable.offer_buffers(0, 4);
  cable.offer_buffers(2, 4);
  cable.send("three", 3);
  CHECK(cable.got().substr(kHeader) == "three");
  CHECK(cable.command(set_pairs(2)) == kOk);
  cable.send("again", 3);
  CHECK(cable.got(0, 2).substr(kHeader) == "again");
  cable.send("two", 2);
  CHECK(cable.got(1).substr(kHeader) == "two");
  CHECK(cable.driver->used_index(4) == 0);
}

TEST_CASE("what waits for a pair that the driver no longer uses comes by another") {
  Cable cable(2);
  CHECK(cable.command(set_pairs(2)) == kOk);
  cable.send(letters(1300), 1);
  cable.offer_buffers(2, 1);  // too small for it: it is with us now
  cable.send("next", 1);
  cable.offer_buffers(0, 4);
  CHECK(cable.driver->used_index(0) == 0);
  CHECK(cable.command(set_pairs(1)) == kOk);
  CHECK(cable.driver->used_index(0) == 4);
  CHECK(cable.got().substr(kHeader).starts_with(letters(1300)));
  CHECK(cable.got(3).substr(kHeader) == "next");
}

TEST_CASE("what is sent by a pair before the driver says that it uses it goes when it says so") {
  Cable cable(3);
  cable.driver->store(kData + 0x1000, std::string(kHeader, '\0') + "early");
  for (const unsigned queue : {3U, 5U}) {
    cable.driver->put_descriptor(queue, 0, {.address = kData + 0x1000, .length = kHeader + 5});
    cable.driver->offer(queue, 0);
    cable.driver->notify(queue);
    CHECK(cable.driver->used_index(queue) == 0);
  }
  CHECK(cable.taken(1).empty());
  CHECK(cable.command(set_pairs(2)) == kOk);
  CHECK(cable.taken(1).substr(kHeader) == "early");
  CHECK(cable.driver->used_index(3) == 1);
  CHECK(cable.driver->used_index(5) == 0);
}

TEST_CASE("commands that are none, or ask for what there is not, are answered as errors and change nothing") {
  Cable cable(2);
  CHECK(cable.command(set_pairs(2)) == kOk);
  for (const std::string& words :
       {set_pairs(0), set_pairs(3), set_pairs(0x8000), set_pairs(0x0102), std::string("\4\1\1\0", 4),
        std::string("\0\0\1\0", 4), std::string("\4\0\1", 3), std::string("\4\0\1\0\0", 5),
        std::string("\4", 1), std::string(), std::string(4096, '\4')})
    CHECK(cable.command(words) == kError);
  CHECK_FALSE(cable.driver->needs_reset());
  cable.offer_buffers(2, 1);
  cable.send("still two", 1);
  CHECK(cable.got(0, 2).substr(kHeader) == "still two");
}

TEST_CASE("a command may lie in pieces") {
  Cable cable(2);
  const unsigned queue = 4;
  cable.driver->store(kData, set_pairs(2));
  cable.driver->put_descriptor(queue, 0, {.address = kData, .length = 3, .flags = kNext, .next = 1});
  cable.driver->put_descriptor(queue, 1, {.address = kData + 3, .length = 1, .flags = kNext, .next = 2});
  cable.driver->put_descriptor(queue, 2, {.address = kData + 0x100, .length = 1, .flags = kWrite});
  cable.driver->store(kData + 0x100, "?");
  cable.driver->offer(queue, 0);
  cable.driver->notify(queue);
  CHECK(cable.driver->load(kData + 0x100, 1) == kOk);
}

TEST_CASE("a command without a place for its answer is a broken rule") {
  Cable cable(2);
  cable.driver->request(4, set_pairs(2), 0);
  CHECK(cable.driver->needs_reset());
}

TEST_CASE("a driver that knows one pair alone has its commands behind that") {
  Cable cable(3);
  cable.driver->forget();
  cable.driver->start(kRing, kMultiQueue);
  CHECK(cable.driver->request(2, set_pairs(2), 1) == kError);
  cable.offer_buffers(0, 2);
  cable.send("one", 2);
  CHECK(cable.got().substr(kHeader) == "one");
  cable.driver->request(6, set_pairs(2), 1);
  CHECK(cable.driver->used_index(6) == 0);
  CHECK_FALSE(cable.driver->needs_reset());
}

TEST_CASE("a reset leaves one pair, and what waited for the others is gone") {
  Cable cable(2);
  CHECK(cable.command(set_pairs(2)) == kOk);
  cable.offer_buffers(2, 1, 64);
  cable.send(letters(1000), 1);
  cable.driver->forget();
  cable.driver->start(kRing);
  cable.offer_buffers(0, 4);
  cable.send("after", 1);
  CHECK(cable.got().substr(kHeader) == "after");
  CHECK(cable.driver->used_index(2) == 0);
}

TEST_CASE("a pair that is in use but was not made ready holds up its own packets alone") {
  Cable cable(2);
  cable.driver->forget();
  cable.driver->write(0x70, 0);
  cable.driver->write(0x70, 1 | 2);
  for (const std::uint32_t word : {0U, 1U}) {
    cable.driver->write(0x14, word);
    const std::uint32_t offered = cable.driver->read(0x10);
    cable.driver->write(0x24, word);
    cable.driver->write(0x20, offered);
  }
  cable.driver->write(0x70, 1 | 2 | 8);
  for (const unsigned queue : {0U, 1U, 4U})
    cable.driver->set_up_queue(queue, kRing);
  cable.driver->write(0x70, 1 | 2 | 8 | 4);
  CHECK(cable.command(set_pairs(2)) == kOk);
  cable.offer_buffers(0, 2);
  cable.driver->notify(2);
  cable.driver->notify(3);
  cable.send("nowhere", 1);
  cable.send("here", 0);
  CHECK(cable.got().substr(kHeader) == "here");
  CHECK_FALSE(cable.driver->needs_reset());
}

TEST_CASE("a tap of several queues that is gone is one link that is down") {
  Cable cable(2);
  CHECK(cable.command(set_pairs(2)) == kOk);
  ::shutdown(cable.hosts[1].get(), SHUT_RDWR);
  ::shutdown(cable.hosts[0].get(), SHUT_RDWR);
  cable.turn();
  CHECK(cable.driver->read(0x104) == 0x00000900);
  CHECK(cable.driver->read(0xfc) == 2);  // once, before and after
  for (const unsigned queue : {1U, 3U}) {
    cable.driver->request(queue, std::string(kHeader + 60, 'x'), 0);
    CHECK(cable.driver->used_index(queue) == 1);
  }
  CHECK_FALSE(cable.driver->needs_reset());
}

TEST_CASE("a limit is of all pairs together, and leaves none of them out") {
  using Clock = std::chrono::steady_clock;
  constexpr unsigned kRate = 8;
  constexpr unsigned kMore = 6;
  Cable cable({.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1400, .limits = {.count = kRate}}, 2);
  CHECK(cable.command(set_pairs(2)) == kOk);
  cable.driver->store(kData + 0x8000, std::string(kHeader, '\0') + "packet");
  const auto begin = Clock::now();
  for (const unsigned pair : {0U, 1U}) {
    cable.offer_buffers(2 * pair, kRing, 100);
    for (std::uint16_t i = 0; i < kRing; ++i) {
      cable.driver->put_descriptor((2 * pair) + 1, i, {.address = kData + 0x8000, .length = kHeader + 6});
      cable.driver->offer((2 * pair) + 1, i);
      cable.send("packet", pair);
    }
  }
  cable.driver->notify(1);
  cable.driver->notify(3);
  const auto done = [&](unsigned way) -> unsigned {
    return cable.driver->used_index(way) + cable.driver->used_index(2 + way);
  };
  CHECK(done(kTransmit) >= kRate);  // a second's worth, and what time has gone by
  CHECK(done(kReceive) >= kRate);
  CHECK(done(kTransmit) + done(kReceive) < 2 * (kRate + kMore));
  while ((done(kTransmit) < kRate + kMore || done(kReceive) < kRate + kMore) &&
         Clock::now() - begin < std::chrono::seconds(20))
    cable.turn();
  for (const unsigned queue : {0U, 1U, 2U, 3U})
    CHECK(cable.driver->used_index(queue) >= 2);
  CHECK(Clock::now() - begin >= std::chrono::milliseconds(700));  // `kMore` take 750
}
