#include "boot/decompress.h"

#include <isa-l.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "boot/lz4.h"

namespace trine::hvm {
namespace {

/// Fills `out` exactly, or fails.
using Unpack = bool (*)(std::span<const std::byte> packed, std::span<std::byte> out) noexcept;

std::uint8_t* bytes_of(std::span<const std::byte> bytes) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

bool unpack_gzip(std::span<const std::byte> packed, std::span<std::byte> out) noexcept {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  state->next_in = bytes_of(packed);
  state->avail_in = static_cast<std::uint32_t>(packed.size());
  state->next_out = bytes_of(out);
  state->avail_out = static_cast<std::uint32_t>(out.size());
  return isal_inflate(state.get()) == ISAL_DECOMP_OK && state->block_state == ISAL_BLOCK_FINISH &&
         state->avail_out == 0;
}

bool unpack_xz(std::span<const std::byte> packed, std::span<std::byte> out) noexcept {
  constexpr std::uint64_t kMostMemory = 256ULL << 20U;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMostMemory, 0) != LZMA_OK)
    return false;
  stream.next_in = bytes_of(packed);
  stream.avail_in = packed.size();
  stream.next_out = bytes_of(out);
  stream.avail_out = out.size();
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK && stream.avail_in > 0)
    result = lzma_code(&stream, LZMA_RUN);
  const bool whole = result == LZMA_STREAM_END && stream.avail_out == 0;
  lzma_end(&stream);
  return whole;
}

bool unpack_zstd(std::span<const std::byte> packed, std::span<std::byte> out) noexcept {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          ZSTD_freeDStream);
  // The kernel's build uses windows up to 128 MiB.
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 27);
  ZSTD_inBuffer in{.src = packed.data(), .size = packed.size(), .pos = 0};
  ZSTD_outBuffer made{.dst = out.data(), .size = out.size(), .pos = 0};
  while (in.pos < in.size) {
    const std::size_t before = in.pos + made.pos;
    const std::size_t left = ZSTD_decompressStream(stream.get(), &made, &in);
    if (ZSTD_isError(left) != 0)
      return false;
    if (left == 0)
      return made.pos == made.size;
    if (in.pos + made.pos == before)
      return false;
  }
  return false;
}

struct Format {
  std::string_view magic;
  Unpack unpack;
};

constexpr std::array kFormats{
    Format{{"\x1f\x8b", 2}, unpack_gzip},
    Format{{"\xfd\x37\x7a\x58\x5a\x00", 6}, unpack_xz},
    Format{{"\x28\xb5\x2f\xfd", 4}, unpack_zstd},
    Format{{"\x02\x21\x4c\x18", 4}, unpack_lz4},
};

}  // namespace

std::expected<std::vector<std::byte>, std::string> decompress(std::span<const std::byte> packed,
                                                              std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(packed.data()), packed.size());
  const auto* const format = std::ranges::find_if(
      kFormats, [&](const Format& candidate) { return text.starts_with(candidate.magic); });
  if (format == kFormats.end())
    return std::unexpected("it is packed by something else than gzip, xz, zstd or LZ4");
  std::vector<std::byte> out(size);
  if (!format->unpack(packed, out))
    return std::unexpected("it is damaged: it does not unpack to what it says");
  return out;
}

}  // namespace trine::hvm
