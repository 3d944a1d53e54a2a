#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "acts.h"
#include "devices/block/block.h"
#include "devices/console/console.h"
#include "devices/rng/rng.h"
#include "devices/vsock/vsock.h"

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
  const unsigned kind = words.take<std::uint8_t>() % (kDriverActs + 1);
  if (kind < kDriverActs)
    return act_as_driver(words, driver, kind);
  if (host.sockets.empty())
    return;
  if (words.take<std::uint8_t>() % 2 == 0)
    (void)!::send(host.sockets.back().get(), "from the host", 13, MSG_NOSIGNAL);
  else
    host.sockets.pop_back();
  host.loop.stop();
  host.loop.run();
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
