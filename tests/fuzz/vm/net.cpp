#include "devices/net/net.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "driver.h"
#include "hvm-sandbox/net_queues.h"
#include "words.h"

/// A guest's driver that does anything at all with a network interface of one or several pairs of queues,
/// while packets of any size come, and those that it sends are taken, or not, or the tap goes. What the guest
/// gets must be what was sent: a packet whole, or none.
namespace {

using namespace trine;

struct Host {
  hvm::EventLoop loop;
  std::vector<base::UniqueFd> ends;  ///< of the tap's queues
  base::UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  std::unique_ptr<hvm::Device> make(std::uint16_t mtu, unsigned pairs, const hvm::RateLimits& limits) {
    std::vector<base::UniqueFd> taps;
    for (unsigned i = 0; i < pairs; ++i) {
      int pair[2];
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        __builtin_trap();
      ends.emplace_back(pair[0]);
      taps.emplace_back(pair[1]);
    }
    if (!loop.watch(bell.get(), 1 /* EPOLLIN */, [this](std::uint32_t /*events*/) {
          std::uint64_t count = 0;
          (void)!::read(bell.get(), &count, sizeof count);
          loop.stop();
        }))
      __builtin_trap();
    return std::make_unique<hvm::Net>(
        std::move(taps), hvm::NetOptions{.mac = {2, 0, 0, 0, 0, 1}, .mtu = mtu, .limits = limits}, loop);
  }
  void turn() {
    const std::uint64_t one = 1;
    (void)!::write(bell.get(), &one, sizeof one);
    loop.run();
  }
  const base::UniqueFd& any_end(Words& words) { return ends[words.take<std::uint8_t>() % ends.size()]; }
  void give(int end, std::size_t size) {
    const std::string packet(size, 'p');
    (void)!::send(end, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void take(int end, unsigned count) {
    char packet[256];
    for (unsigned i = 0; i < count; ++i)
      (void)!::recv(end, packet, sizeof packet, MSG_DONTWAIT);
  }
};

/// Of those that there are, and now and then the first that there is not.
unsigned any_queue(Words& words, hvm::test::Driver& driver) {
  return words.take<std::uint8_t>() % (driver.transport().device().queue_count() + 1);
}

void offer_good(Words& words, hvm::test::Driver& driver) {
  const unsigned queue = any_queue(words, driver);
  const std::uint16_t index = words.take<std::uint8_t>() % 16;
  // Small enough that a packet takes several, or finds no room in all of them.
  const std::uint32_t length = 1U + (words.take<std::uint16_t>() % 4096);
  driver.put_descriptor(queue, index,
                        {.address = hvm::test::kData + (index * 4096U),
                         .length = length,
                         .flags = queue % 2 == 0 ? hvm::test::kWrite : std::uint16_t{0}});
  driver.offer(queue, index);
  driver.notify(queue);
}

/// With queues of one of two sizes, knowing all features, or none of those of several pairs.
void start(Words& words, hvm::test::Driver& driver) {
  constexpr std::uint64_t kCommands = 1U << 17U;
  constexpr std::uint64_t kPairs = 1U << 22U;
  const std::uint8_t how = words.take<std::uint8_t>();
  driver.start(how % 2 == 0 ? 16 : 4, ((how & 2U) != 0 ? kCommands : 0) | ((how & 4U) != 0 ? kPairs : 0));
}

/// What a good driver asks for, or nearly, by any queue.
void command(Words& words, hvm::test::Driver& driver) {
  std::string command{4, 0};
  const std::uint8_t kind = words.take<std::uint8_t>();
  command += static_cast<char>(kind % 10);
  command += '\0';
  if (kind >= 0xf0)
    command += words.text(kind % 8);
  const unsigned last = driver.transport().device().queue_count() - 1;
  driver.request(kind >= 0xe0 ? any_queue(words, driver) : last, command, kind < 0xd0 ? 1 : kind % 4);
}

void act(Words& words, hvm::test::Driver& driver, Host& host) {
  switch (words.take<std::uint8_t>() % 11) {
    case 0:
      driver.write(words.take<std::uint16_t>(), words.take<std::uint32_t>());
      break;
    case 1:
      (void)driver.read(words.take<std::uint16_t>());
      break;
    case 2:
      start(words, driver);
      break;
    case 3:
      driver.put_descriptor(any_queue(words, driver), words.take<std::uint8_t>() % 16,
                            {.address = words.take<std::uint32_t>(),
                             .length = words.take<std::uint32_t>(),
                             .flags = words.take<std::uint16_t>(),
                             .next = static_cast<std::uint16_t>(words.take<std::uint8_t>() % 18)});
      break;
    case 4:
      driver.offer(any_queue(words, driver), words.take<std::uint8_t>() % 17);
      break;
    case 5:
      driver.notify(any_queue(words, driver));
      break;
    case 6:
      host.give(host.any_end(words).get(), words.take<std::uint16_t>());
      host.turn();
      break;
    case 7:
      host.take(host.any_end(words).get(), words.take<std::uint8_t>());
      host.turn();
      break;
    case 8:
      if (words.take<std::uint8_t>() == 0)
        host.ends[words.take<std::uint8_t>() % host.ends.size()].reset();
      host.turn();
      break;
    case 9:
      command(words, driver);
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
  const auto mtu = words.take<std::uint16_t>();
  const std::uint8_t kind = words.take<std::uint8_t>();
  // A limit that lets a packet or two pass, and then none for as long as this takes.
  const hvm::RateLimits limits{.count = kind >= 0xe0 ? 2U : 0U};
  hvm::test::Driver driver(host.make(mtu, 1 + (kind % hvm::kMostNetQueues), limits));
  driver.start();
  for (int acts = 0; acts < kMostActs && !words.empty(); ++acts)
    act(words, driver, host);
  return 0;
}
