#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

/// The names of join_tap()'s taps: of the link's number, so that it tells whether a machine has the link. A
/// tap is there as long as its descriptor.
namespace trine::netns {

constexpr std::string_view kTapPrefix = "trine";

inline std::string tap_name(unsigned link) {
  return std::string(kTapPrefix) + std::to_string(link);
}

/// The number of the link whose tap this is; nothing: it is none.
inline std::optional<unsigned> link_of_tap(std::string_view name) {
  if (!name.starts_with(kTapPrefix))
    return std::nullopt;
  const auto number = base::parse_unsigned(name.substr(kTapPrefix.size()));
  if (!number || *number > UINT32_MAX)
    return std::nullopt;
  return static_cast<unsigned>(*number);
}

}  // namespace trine::netns
