#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace trine::runtime::cli {

/// A time as docker and podman take it: RFC 3339 ("2026-11-22T10:00:00Z", also without a zone, seconds or the
/// time of day: UTC), seconds since 1970, or how long ago ("90s", "1h30m"). Nothing when it is none of them.
std::optional<timespec> parse_time(std::string_view text, timespec now);

}  // namespace trine::runtime::cli
