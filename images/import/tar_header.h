#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tar.h"

namespace trine::images {

/// Octal text, or with the first bit set a number of base 256 (GNU). Nothing when it is neither, is negative
/// or does not fit. Blanks and zeroes alone are 0.
std::optional<std::uint64_t> parse_tar_number(std::string_view raw);

/// One header block as it stands in the archive. Offsets into it are those of ustar. Source: pax(1) of
/// POSIX.1-2008, "ustar Header Block".
struct TarHeader {
  static constexpr std::size_t kSize = 512;
  std::array<char, kSize> bytes{};

  /// A field up to its first NUL.
  [[nodiscard]] std::string_view text(std::size_t offset, std::size_t size) const;
  [[nodiscard]] std::optional<std::uint64_t> number(std::size_t offset, std::size_t size) const;

  [[nodiscard]] char type() const { return bytes[156]; }
  [[nodiscard]] TarType member_type() const;
  /// "prefix/name"; the prefix is not in headers of GNU, which have other fields in its place.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] bool is_zero() const;
  [[nodiscard]] bool checksum_matches() const;
};

}  // namespace trine::images
