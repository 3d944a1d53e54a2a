#include "devices/console/console.h"

#include <array>

namespace trine::hvm {
namespace {

constexpr unsigned kTransmit = 1;  ///< queue 0 holds buffers for input, of which there is none

}  // namespace

void Console::notify(unsigned index) noexcept {
  if (index != kTransmit)
    return;
  serve_all(index, [this](const Chain& chain) -> std::expected<std::uint32_t, QueueError> {
    std::array<char, 1024> text;
    std::size_t offset = 0;
    // What is longer than the log keeps would only push itself out.
    const std::size_t end = std::min(chain.readable_bytes, ConsoleLog::kKept);
    while (offset < end) {
      const std::size_t count = chain.read(offset, std::as_writable_bytes(std::span(text)));
      log_.append({text.data(), std::min(count, end - offset)});
      offset += count;
    }
    return 0;
  });
}

}  // namespace trine::hvm
