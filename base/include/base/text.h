#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trine::base {

enum class SplitEmpty { kKeep, kSkip };

/// "a:b" -> {"a", "b"}. An empty text gives one empty part, or none with kSkip.
std::vector<std::string> split(std::string_view text, char separator, SplitEmpty empty = SplitEmpty::kKeep);

/// The whole text as a decimal number, or nothing: no sign, no blanks, no overflow.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// A size with Docker's suffixes: b, k, m, g, t (powers of 1024, either case, an optional "b" or "ib"
/// behind).
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The same, also with a fraction of a unit: "1.5g".
std::optional<std::uint64_t> parse_fractional_size(std::string_view text);

/// `bytes` random bytes in hexadecimal, for names that must not collide.
std::string random_hex(unsigned bytes);

std::string_view trim(std::string_view text);

}  // namespace trine::base
