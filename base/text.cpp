#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "base/error.h"

namespace trine::base {

std::vector<std::string> split(std::string_view text, char separator, SplitEmpty empty) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    if (!part.empty() || empty == SplitEmpty::kKeep)
      parts.emplace_back(part);
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "bkmgt";
  const auto digits = text.find_first_not_of("0123456789");
  const auto number = parse_unsigned(text.substr(0, digits));
  if (!number)
    return std::nullopt;
  std::string suffix(digits == std::string_view::npos ? std::string_view{} : text.substr(digits));
  for (char& c : suffix)
    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (suffix.empty())
    return number;
  const auto unit = kUnits.find(suffix.front());
  const std::string_view rest = std::string_view(suffix).substr(1);
  if (unit == std::string_view::npos || (unit == 0 && !rest.empty()))
    return std::nullopt;
  if (!rest.empty() && rest != "b" && rest != "ib")
    return std::nullopt;
  const unsigned shift = static_cast<unsigned>(unit) * 10;
  if (*number > std::numeric_limits<std::uint64_t>::max() >> shift)
    return std::nullopt;
  return *number << shift;
}

std::optional<std::uint64_t> parse_fractional_size(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos)
    return parse_size(text);
  const auto end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  const auto unit = parse_size("1" + std::string(text.substr(end)));
  const auto whole = parse_unsigned(text.substr(0, point));
  if (!unit || !whole || end == point + 1 || *whole > INT64_MAX / *unit)
    return std::nullopt;
  const double fraction = std::strtod(("0" + std::string(text.substr(point, end - point))).c_str(), nullptr);
  return (*whole * *unit) + static_cast<std::uint64_t>(fraction * static_cast<double>(*unit));
}

std::string random_hex(unsigned bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    throw_errno("cannot get random bytes");
  }
  std::string text;
  text.reserve(raw.size() * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace trine::base
