#include "devices/block/block.h"

#include <sys/mman.h>
#include <unistd.h>

#include "acts.h"

/// A driver that does anything at all against a disk whose requests go on beside others, and which may be
/// limited. Its file shrinks and grows meanwhile.
namespace {

using namespace trine;

constexpr std::uint64_t kDiskBytes = 64 << 10;

int disk() {
  static const int file = ::memfd_create("disk", MFD_CLOEXEC);
  return file;
}

/// A header that is one, so that more than its parsing is reached.
std::string header(Words& words) {
  std::string bytes(16, '\0');
  const std::uint32_t type = words.take<std::uint8_t>() % 10;
  const std::uint64_t sector = words.take<std::uint8_t>() % 140;
  std::memcpy(bytes.data(), &type, sizeof type);
  std::memcpy(bytes.data() + 8, &sector, sizeof sector);
  return bytes;
}

void act(Words& words, hvm::test::Driver& driver, hvm::EventLoop& loop) {
  const unsigned kind = words.take<std::uint8_t>() % (kDriverActs + 3);
  if (kind < kDriverActs)
    return act_as_driver(words, driver, kind);
  if (kind == kDriverActs) {
    const std::string request = header(words) + std::string(512 * (words.take<std::uint8_t>() % 4), 'x');
    driver.request(0, request, 1 + (512 * (words.take<std::uint8_t>() % 8)));
  } else if (kind == kDriverActs + 1) {
    (void)!::ftruncate(disk(), words.take<std::uint16_t>());
  } else {
    loop.stop();
    loop.run();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostActs = 200;
  Words words(data, size);
  (void)!::ftruncate(disk(), kDiskBytes);
  hvm::EventLoop loop;
  const bool is_limited = words.take<std::uint8_t>() % 4 == 0;
  auto block = std::make_unique<hvm::Block>(base::UniqueFd(::dup(disk())), false, "disk");
  block->serve_beside(loop);
  if (is_limited)
    block->limit(loop, {.bytes = 1'000'000, .count = 10'000});
  hvm::test::Driver driver(std::move(block));
  driver.start();
  for (int acts = 0; acts < kMostActs && !words.empty(); ++acts)
    act(words, driver, loop);
  return 0;
}
