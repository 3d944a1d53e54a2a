#include "agent/entropy.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "hvm-sandbox/protocol.h"

namespace trine::hvm {
namespace {

constexpr int kBitsPerDigit = 4;

/// As the kernel's rand_pool_info, whose last member has no size.
struct Pool {
  int bits = 0;
  int bytes = 0;
  std::array<char, kMostSeed> data{};
};
static_assert(offsetof(Pool, data) == sizeof(rand_pool_info));

}  // namespace

bool reseed(std::string_view bytes) {
  if (bytes.size() < kLeastSeed || bytes.size() > kMostSeed)
    return false;
  Pool pool{.bits = static_cast<int>(bytes.size()) * kBitsPerDigit, .bytes = static_cast<int>(bytes.size())};
  std::memcpy(pool.data.data(), bytes.data(), bytes.size());
  const base::UniqueFd device = base::open_file("/dev/urandom", O_RDONLY);
  if (::ioctl(device.get(), RNDADDENTROPY, &pool) != 0)
    base::throw_errno("cannot add to the kernel's randomness");
  if (::ioctl(device.get(), RNDRESEEDCRNG) != 0)
    base::throw_errno("cannot have the kernel draw on its randomness");
  return true;
}

}  // namespace trine::hvm
