#include "tar_header.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"

namespace trine::images {
namespace {

/// GNU's form for what octal digits have no room for. The second bit is the sign.
std::optional<std::uint64_t> parse_base_256(std::string_view raw) {
  const auto first = static_cast<unsigned char>(raw[0]);
  if ((first & 0x40) != 0)
    return std::nullopt;
  std::uint64_t value = first & 0x3f;
  for (const char c : raw.substr(1)) {
    if (value >> 55 != 0)
      return std::nullopt;
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_tar_number(std::string_view raw) {
  if ((static_cast<unsigned char>(raw[0]) & 0x80) != 0)
    return parse_base_256(raw);
  const std::string_view text = base::trim(raw.substr(0, raw.find('\0')));
  if (text.empty())
    return 0;
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::string_view TarHeader::text(std::size_t offset, std::size_t size) const {
  const std::string_view raw(bytes.data() + offset, size);
  return raw.substr(0, raw.find('\0'));
}

std::optional<std::uint64_t> TarHeader::number(std::size_t offset, std::size_t size) const {
  return parse_tar_number({bytes.data() + offset, size});
}

TarType TarHeader::member_type() const {
  switch (type()) {
    case '0':
    case '\0':
    case '7':  // contiguous, which no file system of ours knows
    case 'S':  // sparse, of GNU
      return TarType::kFile;
    case '1':
      return TarType::kHardlink;
    case '2':
      return TarType::kSymlink;
    case '3':
      return TarType::kCharacter;
    case '4':
      return TarType::kBlock;
    case '5':
      return TarType::kDirectory;
    case '6':
      return TarType::kFifo;
    default:
      return TarType::kOther;
  }
}

std::string TarHeader::path() const {
  const std::string name(text(0, 100));
  const std::string prefix(text(345, 155));
  const bool ustar = std::string_view(bytes.data() + 257, 6) == std::string_view("ustar\0", 6);
  return ustar && !prefix.empty() ? prefix + "/" + name : name;
}

bool TarHeader::is_zero() const {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

bool TarHeader::checksum_matches() const {
  constexpr std::size_t kField = 148;
  constexpr std::size_t kFieldSize = 8;
  const auto stored = number(kField, kFieldSize);
  std::uint64_t sum = 0;
  std::int64_t signed_sum = 0;  // old tars summed signed characters
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = i >= kField && i < kField + kFieldSize ? ' ' : bytes[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return stored && (*stored == sum || static_cast<std::int64_t>(*stored) == signed_sum);
}

}  // namespace trine::images
