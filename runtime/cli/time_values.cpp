#include "time_values.h"

#include <cstdint>
#include <cstdlib>

#include "base/text.h"

namespace trine::runtime::cli {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

/// ".25" are 250,000,000; takes them off `text`. Nothing when there is a point and no digit.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.'))
    return 0;
  std::size_t end = 1;
  std::int64_t nanoseconds = 0;
  std::int64_t unit = kNanoseconds / 10;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end, unit /= 10)
    nanoseconds += (text[end] - '0') * unit;
  if (end == 1)
    return std::nullopt;
  text.remove_prefix(end);
  return nanoseconds;
}

/// "Z", "+02:00" or nothing, in seconds.
std::optional<std::int64_t> parse_zone(std::string_view text) {
  if (text.empty() || text == "Z")
    return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
    return std::nullopt;
  const auto hours = base::parse_unsigned(text.substr(1, 2));
  const auto minutes = base::parse_unsigned(text.substr(4));
  if (!hours || !minutes || *hours > 23 || *minutes > 59)
    return std::nullopt;
  const auto seconds = static_cast<std::int64_t>((*hours * 3600) + (*minutes * 60));
  return text[0] == '+' ? seconds : -seconds;
}

std::optional<timespec> parse_date(const std::string& text) {
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    tm parts{};
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end == nullptr)
      continue;
    std::string_view rest(end);
    const auto nanoseconds = take_fraction(rest);
    const auto zone = parse_zone(rest);
    if (!nanoseconds || !zone)
      return std::nullopt;
    return timespec{.tv_sec = ::timegm(&parts) - *zone, .tv_nsec = *nanoseconds};
  }
  return std::nullopt;
}

std::optional<timespec> parse_seconds(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto seconds = base::parse_unsigned(text.substr(0, point));
  std::string_view rest = text.substr(point);
  const auto nanoseconds = take_fraction(rest);
  constexpr std::uint64_t kMost = 253'402'300'799;  // the end of the year 9999
  if (!seconds || *seconds > kMost || !nanoseconds || !rest.empty())
    return std::nullopt;
  return timespec{.tv_sec = static_cast<time_t>(*seconds), .tv_nsec = *nanoseconds};
}

std::int64_t seconds_of(std::string_view unit) {
  if (unit == "h")
    return 3600;
  if (unit == "m")
    return 60;
  return unit == "s" ? 1 : 0;
}

/// "1h30m" in nanoseconds. Source: Go, time.ParseDuration, as far as a time of day has use for it.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  if (text.empty())
    return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = base::parse_unsigned(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto fraction = take_fraction(text);
    const std::size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const std::int64_t unit = seconds_of(text.substr(0, letters));
    constexpr std::uint64_t kMost = 1'000'000;  // in the largest unit more than a century
    if (!number || *number > kMost || !fraction || unit == 0)
      return std::nullopt;
    text.remove_prefix(letters);
    total += (static_cast<std::int64_t>(*number) * unit * kNanoseconds) + (*fraction * unit);
  }
  return total;
}

}  // namespace

std::optional<timespec> parse_time(std::string_view text, timespec now) {
  if (const auto date = parse_date(std::string(text)))
    return date;
  if (const auto seconds = parse_seconds(text))
    return seconds;
  const auto ago = parse_duration(text);
  if (!ago)
    return std::nullopt;
  const std::int64_t seconds = now.tv_sec - (*ago / kNanoseconds);
  const std::int64_t nanoseconds = now.tv_nsec - (*ago % kNanoseconds);
  return nanoseconds < 0 ? timespec{.tv_sec = seconds - 1, .tv_nsec = nanoseconds + kNanoseconds}
                         : timespec{.tv_sec = seconds, .tv_nsec = nanoseconds};
}

}  // namespace trine::runtime::cli
