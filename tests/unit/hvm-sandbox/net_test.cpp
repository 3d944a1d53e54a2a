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

/// An interface whose tap is a socket that keeps packets apart, as a tap does.
struct Cable {
  EventLoop loop;
  trine::base::UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int host = -1;
  std::unique_ptr<Driver> driver;

  explicit Cable(NetOptions options = {.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1400}) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    host = ends[0];
    driver = std::make_unique<Driver>(std::make_unique<Net>(trine::base::UniqueFd(ends[1]), options, loop));
    driver->start(kRing);
    REQUIRE(loop.watch(bell.get(), EPOLLIN, [this](std::uint32_t /*events*/) {
      std::uint64_t count = 0;
      (void)!::read(bell.get(), &count, sizeof count);
      loop.stop();
    }));
  }
  ~Cable() {
    driver.reset();
    ::close(host);
  }
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;

  /// Whatever is to happen now happens: the loop ends one turn after its bell was rung.
  void turn() {
    const std::uint64_t one = 1;
    REQUIRE(::write(bell.get(), &one, sizeof one) == sizeof one);
    loop.run();
  }
  /// A packet with an empty header.
  void send(const std::string& packet) {
    const std::string whole = std::string(kHeader, '\0') + packet;
    REQUIRE(::send(host, whole.data(), whole.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(whole.size()));
    turn();
  }
  std::string taken() const {
    std::string whole(70000, '\0');
    const ssize_t got = ::recv(host, whole.data(), whole.size(), MSG_DONTWAIT);
    whole.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return whole;
  }
  /// What the guest got since entry `from`: the packets' bytes, with the first's header, and how many
  /// buffers.
  std::string got(std::uint16_t from = 0) {
    std::string all;
    for (std::uint16_t i = from; i != driver->used_index(kReceive); ++i)
      all += driver->used_bytes(kReceive, i);
    return all;
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
  ::shutdown(cable.host, SHUT_RDWR);
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
