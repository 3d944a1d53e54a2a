#include "devices/pmem/pmem.h"

#include <array>

namespace trine::hvm {

void Pmem::notify(unsigned index) noexcept {
  serve_all(index, [](const Chain& chain) -> std::expected<std::uint32_t, QueueError> {
    constexpr std::uint32_t kFlush = 0;
    constexpr std::uint32_t kDone = 0;
    constexpr std::uint32_t kFailed = 1;
    std::uint32_t type = 0;
    if (chain.readable_bytes < sizeof type || chain.writable_bytes < sizeof kDone)
      return std::unexpected(QueueError::kRequest);
    chain.read(0, std::as_writable_bytes(std::span(&type, 1)));
    // Nothing is written, so there is nothing to flush.
    const std::uint32_t answer = type == kFlush ? kDone : kFailed;
    return static_cast<std::uint32_t>(chain.write(0, std::as_bytes(std::span(&answer, 1))));
  });
}

}  // namespace trine::hvm
