#include "devices/rng/rng.h"

#include <sys/random.h>

#include <array>

namespace trine::hvm {

void Rng::notify(unsigned index) noexcept {
  serve_all(index, [](const Chain& chain) -> std::expected<std::uint32_t, QueueError> {
    if (chain.writable_bytes == 0)
      return std::unexpected(QueueError::kRequest);
    std::array<std::byte, kMostBytes> bytes;
    const std::size_t wanted = std::min<std::size_t>(chain.writable_bytes, bytes.size());
    const ssize_t got = ::getrandom(bytes.data(), wanted, GRND_NONBLOCK);
    if (got <= 0)
      return 0;
    return static_cast<std::uint32_t>(chain.write(0, std::span(bytes).first(static_cast<std::size_t>(got))));
  });
}

}  // namespace trine::hvm
