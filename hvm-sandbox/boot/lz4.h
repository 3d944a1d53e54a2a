#pragma once

#include <cstddef>
#include <span>

namespace trine::hvm {

/// Unpacks a stream of LZ4's legacy format (its magic number first) into `out`. False unless it fills `out`
/// exactly. Source: LZ4 block format, LZ4 frame format ("legacy frame").
bool unpack_lz4(std::span<const std::byte> packed, std::span<std::byte> out) noexcept;

}  // namespace trine::hvm
