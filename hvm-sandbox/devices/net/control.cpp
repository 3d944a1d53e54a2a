#include "devices/net/control.h"

#include <array>
#include <cstddef>

namespace trine::hvm {
namespace {

constexpr std::byte kMultiQueue{4};
constexpr std::byte kSetPairs{0};
constexpr std::size_t kCommandBytes = 4;  ///< class, command, and the number of pairs in two bytes

}  // namespace

std::optional<unsigned> pairs_set_by(const Chain& command) noexcept {
  std::array<std::byte, kCommandBytes> bytes{};
  if (command.readable_bytes != bytes.size() || command.read(0, bytes) != bytes.size() ||
      bytes[0] != kMultiQueue || bytes[1] != kSetPairs)
    return std::nullopt;
  return std::to_integer<unsigned>(bytes[2]) | (std::to_integer<unsigned>(bytes[3]) << 8U);
}

}  // namespace trine::hvm
