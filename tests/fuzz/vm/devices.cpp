#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "devices/block/block.h"
#include "devices/console/console.h"
#include "devices/rng/rng.h"
#include "devices/vsock/vsock.h"
#include "driver.h"
#include "words.h"

/// A guest's driver that does anything at all: registers, ring memory, descriptors and notifications in any
/// order, against one of the devices. The host's end of a vsock connection is part of the game.
namespace {

using namespace trine;

constexpr std::uint64_t kDiskBytes = 64 << 10;

/// One disk for all runs: what is written to it does not matter.
int disk() {
  static const int file = [] {
    const int fd = ::memfd_create("disk", MFD_CLOEXEC);
    (void)!::ftruncate(fd, kDiskBytes);
    return fd;
  }();
  return ::dup(file);
}

struct Host {
  hvm::EventLoop loop;
  hvm::ConsoleLog log;
  std::vector<base::UniqueFd> sockets;

  base::UniqueFd connect() {
    int ends[2];
    if (sockets.size() >= 8 ||
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
      return {};
    sockets.emplace_back(ends[0]);
    return base::UniqueFd(ends[1]);
  }

  std::unique_ptr<hvm::Device> make(unsigned kind) {
    switch (kind % 5) {
      case 0:
        return std::make_unique<hvm::Rng>();
      case 1:
        return std::make_unique<hvm::Block>(base::UniqueFd(disk()), false, "disk");
      case 2:
        return std::make_unique<hvm::Block>(base::UniqueFd(disk()), true, "read-only");
      case 3:
        return std::make_unique<hvm::Console>(log);
      default:
        return std::make_unique<hvm::Vsock>(3, loop, [this](std::uint32_t /*port*/) { return connect(); });
    }
  }
};

void act(Words& words, hvm::test::Driver& driver, Host& host) {
  switch (words.take<std::uint8_t>() % 9) {
    case 0:
      driver.write(words.take<std::uint16_t>(), words.take<std::uint32_t>());
      break;
    case 1:
      (void)driver.read(words.take<std::uint16_t>());
      break;
    case 2: {
      const std::uint32_t address = words.take<std::uint32_t>() % (hvm::test::kGuestBytes - 256);
      driver.store(address, words.text(words.take<std::uint8_t>()));
      break;
    }
    case 3:
      driver.start();
      break;
    case 4: {
      const unsigned queue = words.take<std::uint8_t>() % 3;
      const std::uint16_t index = words.take<std::uint8_t>() % 16;
      driver.put_descriptor(queue, index,
                            {.address = words.take<std::uint32_t>(),
                             .length = words.take<std::uint32_t>(),
                             .flags = words.take<std::uint16_t>(),
                             .next = static_cast<std::uint16_t>(words.take<std::uint8_t>() % 18)});
      break;
    }
    case 5:
      driver.offer(words.take<std::uint8_t>() % 3, words.take<std::uint8_t>() % 17);
      break;
    case 6:
      driver.notify(words.take<std::uint8_t>() % 4);
      break;
    case 7: {
      // A request that is well-formed as far as the queue goes.
      const unsigned queue = words.take<std::uint8_t>() % 3;
      const std::uint8_t out = words.take<std::uint8_t>();
      driver.request(queue, words.text(out), words.take<std::uint16_t>());
      break;
    }
    default:
      if (host.sockets.empty())
        break;
      if (words.take<std::uint8_t>() % 2 == 0)
        (void)!::send(host.sockets.back().get(), "from the host", 13, MSG_NOSIGNAL);
      else
        host.sockets.pop_back();
      host.loop.stop();
      host.loop.run();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostActs = 200;
  Words words(data, size);
  Host host;
  hvm::test::Driver driver(host.make(words.take<std::uint8_t>()));
  driver.start();
  for (int acts = 0; acts < kMostActs && !words.empty(); ++acts)
    act(words, driver, host);
  return 0;
}
