#include "devices/net/net.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver.h"
#include "words.h"

/// A guest's driver that does anything at all with a network interface, while packets of any size come, and
/// those that it sends are taken, or not, or the tap goes. What the guest gets must be what was sent: a
/// packet whole, or none.
namespace {

using namespace trine;

struct Host {
  hvm::EventLoop loop;
  base::UniqueFd end;
  base::UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  std::unique_ptr<hvm::Device> make(std::uint16_t mtu) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
      __builtin_trap();
    end.reset(ends[0]);
    if (!loop.watch(bell.get(), 1 /* EPOLLIN */, [this](std::uint32_t /*events*/) {
          std::uint64_t count = 0;
          (void)!::read(bell.get(), &count, sizeof count);
          loop.stop();
        }))
      __builtin_trap();
    return std::make_unique<hvm::Net>(base::UniqueFd(ends[1]),
                                      hvm::NetOptions{.mac = {2, 0, 0, 0, 0, 1}, .mtu = mtu}, loop);
  }
  void turn() {
    const std::uint64_t one = 1;
    (void)!::write(bell.get(), &one, sizeof one);
    loop.run();
  }
  void give(std::size_t size) {
    const std::string packet(size, 'p');
    (void)!::send(end.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void take(unsigned count) {
    char packet[256];
    for (unsigned i = 0; i < count; ++i)
      (void)!::recv(end.get(), packet, sizeof packet, MSG_DONTWAIT);
  }
};

void offer_good(Words& words, hvm::test::Driver& driver) {
  const unsigned queue = words.take<std::uint8_t>() % 2;
  const std::uint16_t index = words.take<std::uint8_t>() % 16;
  // Small enough that a packet takes several, or finds no room in all of them.
  const std::uint32_t length = 1U + (words.take<std::uint16_t>() % 4096);
  driver.put_descriptor(queue, index,
                        {.address = hvm::test::kData + (index * 4096U),
                         .length = length,
                         .flags = queue == 0 ? hvm::test::kWrite : std::uint16_t{0}});
  driver.offer(queue, index);
  driver.notify(queue);
}

void act(Words& words, hvm::test::Driver& driver, Host& host) {
  switch (words.take<std::uint8_t>() % 10) {
    case 0:
      driver.write(words.take<std::uint16_t>(), words.take<std::uint32_t>());
      break;
    case 1:
      (void)driver.read(words.take<std::uint16_t>());
      break;
    case 2:
      driver.start(words.take<std::uint8_t>() % 2 == 0 ? 16 : 4);
      break;
    case 3:
      driver.put_descriptor(words.take<std::uint8_t>() % 2, words.take<std::uint8_t>() % 16,
                            {.address = words.take<std::uint32_t>(),
                             .length = words.take<std::uint32_t>(),
                             .flags = words.take<std::uint16_t>(),
                             .next = static_cast<std::uint16_t>(words.take<std::uint8_t>() % 18)});
      break;
    case 4:
      driver.offer(words.take<std::uint8_t>() % 2, words.take<std::uint8_t>() % 17);
      break;
    case 5:
      driver.notify(words.take<std::uint8_t>() % 3);
      break;
    case 6:
      host.give(words.take<std::uint16_t>());
      host.turn();
      break;
    case 7:
      host.take(words.take<std::uint8_t>());
      host.turn();
      break;
    case 8:
      if (words.take<std::uint8_t>() == 0)
        host.end.reset();
      host.turn();
      break;
    default:
      offer_good(words, driver);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostActs = 200;
  Words words(data, size);
  Host host;
  hvm::test::Driver driver(host.make(words.take<std::uint16_t>()));
  driver.start();
  for (int acts = 0; acts < kMostActs && !words.empty(); ++acts)
    act(words, driver, host);
  return 0;
}
