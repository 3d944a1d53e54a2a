#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace trine::hvm {

/// Unpacks a stream of gzip, xz, zstd, or LZ4's legacy format, as Linux' build makes them. `packed` may have
/// a few bytes behind the stream. The result has exactly `size` bytes, or it is an error: memory is bounded
/// by what the caller allows. Source: RFC 1952, the .xz format 1.1, RFC 8878, LZ4 frame format ("legacy
/// frame").
std::expected<std::vector<std::byte>, std::string> decompress(std::span<const std::byte> packed,
                                                              std::size_t size);

}  // namespace trine::hvm
