#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace trine::images::erofs {

/// CRC-32C as EROFS has it: from all ones, not inverted in the end. Some 3 KiB an image: a table will do.
inline std::uint32_t checksum(std::span<const char> bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit)
        value = (value & 1) != 0 ? (value >> 1) ^ 0x82f63b78U : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t value = 0xffffffff;
  for (const char byte : bytes)
    value = kTable[(value ^ static_cast<unsigned char>(byte)) & 0xff] ^ (value >> 8);
  return value;
}

}  // namespace trine::images::erofs
