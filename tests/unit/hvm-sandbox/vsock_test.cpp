#include "devices/vsock/vsock.h"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr unsigned kReceive = 0;
constexpr unsigned kTransmit = 1;
constexpr std::uint64_t kCid = 3;
constexpr std::uint32_t kPort = 1024;

/// A guest with a vsock device whose connections end in sockets of the test's.
struct Guest {
  EventLoop loop;
  std::vector<trine::base::UniqueFd> sockets;  ///< the host's ends
  bool refuse = false;
  Driver driver{std::make_unique<Vsock>(kCid, loop, [this](std::uint32_t port) { return connect(port); })};
  std::uint16_t seen = 0;

  Guest() {
    driver.start(64);
    for (int i = 0; i < 32; ++i)
      driver.offer_buffer(kReceive, 4096);
  }

  trine::base::UniqueFd connect(std::uint32_t port) {
    if (refuse || port != kPort)
      return {};
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    sockets.emplace_back(ends[0]);
    return trine::base::UniqueFd(ends[1]);
  }

  VsockHeader header(VsockOperation operation, std::uint32_t guest_port = 7) {
    return {.source_cid = kCid,
            .destination_cid = kHostCid,
            .source_port = guest_port,
            .destination_port = kPort,
            .type = kStreamType,
            .operation = operation,
            .buffer_size = 65536};
  }
  void send(VsockHeader header, const std::string& data = {}) {
    header.length = static_cast<std::uint32_t>(data.size());
    send_raw(header, data);
  }
  void send_raw(const VsockHeader& header, const std::string& data) {
    driver.request(kTransmit, std::string(reinterpret_cast<const char*>(&header), sizeof header) + data, 0);
  }

  /// The next packet that the guest was sent; nothing when there is none.
  struct Packet {
    VsockHeader header{};
    std::string data;
  };
  std::optional<Packet> receive() {
    if (driver.used_index(kReceive) == seen)
      return std::nullopt;
    const std::string bytes = driver.used_bytes(kReceive, seen++);
    Packet packet;
    REQUIRE(bytes.size() >= sizeof packet.header);
    std::memcpy(&packet.header, bytes.data(), sizeof packet.header);
    packet.data = bytes.substr(sizeof packet.header);
    return packet;
  }
  VsockOperation operation() {
    const auto packet = receive();
    return packet ? packet->header.operation : VsockOperation::kInvalid;
  }

  /// Lets the loop serve what is waiting.
  void turn() {
    std::thread stopper([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      loop.stop();
    });
    loop.run();
    stopper.join();
  }
  void open() {
    send(header(VsockOperation::kRequest));
    REQUIRE(operation() == VsockOperation::kResponse);
  }
  std::string read_host() {
    std::string text(1 << 20, '\0');
    const ssize_t got = ::read(sockets.back().get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
};

}  // namespace

TEST_CASE("the guest reads its address") {
  Guest guest;
  CHECK(guest.driver.read(0x100) == kCid);
}

TEST_CASE("a connection carries bytes both ways") {
  Guest guest;
  guest.open();
  guest.send(guest.header(VsockOperation::kData), "from the guest");
  CHECK(guest.read_host() == "from the guest");
  REQUIRE(::write(guest.sockets.back().get(), "from the host", 13) == 13);
  guest.turn();
  const auto packet = guest.receive();
  REQUIRE(packet);
  CHECK(packet->header.operation == VsockOperation::kData);
  CHECK(packet->header.source_port == kPort);
  CHECK(packet->header.destination_port == 7);
  CHECK(packet->header.forwarded == 14);
  CHECK(packet->data == "from the host");
}

TEST_CASE("a connection that nobody takes is reset") {
  Guest guest;
  SECTION("a refused one") {
    guest.refuse = true;
    guest.send(guest.header(VsockOperation::kRequest));
  }
  SECTION("data without a connection") {
    guest.send(guest.header(VsockOperation::kData), "x");
  }
  SECTION("another type of socket") {
    auto header = guest.header(VsockOperation::kRequest);
    header.type = 9;
    guest.send(header);
  }
  CHECK(guest.operation() == VsockOperation::kReset);
  CHECK(guest.sockets.empty());
}

TEST_CASE("packets with a stranger's address are dropped") {
  Guest guest;
  auto header = guest.header(VsockOperation::kRequest);
  header.source_cid = 99;
  guest.send(header);
  header = guest.header(VsockOperation::kRequest);
  header.destination_cid = 4;
  guest.send(header);
  CHECK(guest.operation() == VsockOperation::kInvalid);
  CHECK(guest.sockets.empty());
}

TEST_CASE("a guest that sends more than its credit loses the connection, and no memory is taken") {
  Guest guest;
  guest.open();
  const std::string block(32768, 'x');
  unsigned sent = 0;
  for (; sent < 100; ++sent) {
    guest.send(guest.header(VsockOperation::kData), block);
    if (guest.operation() == VsockOperation::kReset)
      break;
  }
  CHECK(sent < 100);
}

TEST_CASE("the host's data waits for the guest's credit") {
  Guest guest;
  auto header = guest.header(VsockOperation::kRequest);
  header.buffer_size = 10;
  guest.send(header);
  REQUIRE(guest.operation() == VsockOperation::kResponse);
  REQUIRE(::write(guest.sockets.back().get(), "0123456789abcdef", 16) == 16);
  guest.turn();
  CHECK(guest.receive()->data == "0123456789");
  guest.turn();
  CHECK(!guest.receive());
  header = guest.header(VsockOperation::kCreditUpdate);
  header.buffer_size = 10;
  header.forwarded = 10;
  guest.send(header);
  CHECK(guest.receive()->data == "abcdef");
}

TEST_CASE("a guest that claims impossible credit gets none") {
  Guest guest;
  guest.open();
  auto header = guest.header(VsockOperation::kCreditUpdate);
  header.buffer_size = 100;
  header.forwarded = 1000;
  guest.send(header);
  REQUIRE(::write(guest.sockets.back().get(), "x", 1) == 1);
  guest.turn();
  CHECK(!guest.receive());
}

TEST_CASE("the end of either side reaches the other") {
  Guest guest;
  guest.open();
  SECTION("the guest has sent all") {
    auto header = guest.header(VsockOperation::kShutdown);
    header.flags = kShutdownSend;
    guest.send(guest.header(VsockOperation::kData), "last");
    guest.send(header);
    CHECK(guest.read_host() == "last");
    char byte = 0;
    CHECK(::read(guest.sockets.back().get(), &byte, 1) == 0);
    CHECK(::write(guest.sockets.back().get(), "y", 1) == 1);
  }
  SECTION("the guest closes") {
    auto header = guest.header(VsockOperation::kShutdown);
    header.flags = kShutdownSend | kShutdownReceive;
    guest.send(header);
    CHECK(guest.operation() == VsockOperation::kReset);
  }
  SECTION("the host has sent all") {
    ::shutdown(guest.sockets.back().get(), SHUT_WR);
    guest.turn();
    const auto packet = guest.receive();
    REQUIRE(packet);
    CHECK(packet->header.operation == VsockOperation::kShutdown);
    CHECK(packet->header.flags == kShutdownSend);
  }
  SECTION("the host closes") {
    guest.sockets.clear();
    guest.turn();
    CHECK(guest.operation() == VsockOperation::kShutdown);
    guest.turn();
    CHECK(guest.operation() == VsockOperation::kReset);
  }
}

TEST_CASE("a packet that is shorter than it says is no packet") {
  Guest guest;
  SECTION("a short header") {
    guest.driver.request(kTransmit, "short", 0);
  }
  SECTION("less data than announced") {
    auto header = guest.header(VsockOperation::kData);
    header.length = 0xffffffff;
    guest.send_raw(header, "x");
  }
  CHECK(guest.driver.needs_reset());
}

TEST_CASE("connections are bounded, and a reset of the device closes them") {
  Guest guest;
  for (std::uint32_t port = 1; port <= Vsock::kMostConnections + 10; ++port)
    guest.send(guest.header(VsockOperation::kRequest, port));
  CHECK(guest.sockets.size() == Vsock::kMostConnections);
  guest.driver.write(0x70, 0);
  char byte = 0;
  CHECK(::read(guest.sockets.front().get(), &byte, 1) == 0);
}
