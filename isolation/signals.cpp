#include "isolation/signals.h"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>

#include "base/text.h"

namespace trine::isolation {
namespace {

/// The C library keeps the first real-time signals for itself; a container's program counts from its own.
constexpr std::string_view kRealTimeMin = "RTMIN";
constexpr std::string_view kRealTimeMax = "RTMAX";

std::optional<int> parse_real_time(std::string_view name) {
  const bool from_min = name.starts_with(kRealTimeMin);
  if (!from_min && !name.starts_with(kRealTimeMax))
    return std::nullopt;
  const int start = from_min ? SIGRTMIN : SIGRTMAX;
  const std::string_view rest = name.substr(kRealTimeMin.size());
  if (rest.empty())
    return start;
  const auto offset = base::parse_unsigned(rest.substr(1));
  if (!offset || *offset > 64 || rest.front() != (from_min ? '+' : '-'))
    return std::nullopt;
  const int number = start + (from_min ? 1 : -1) * static_cast<int>(*offset);
  if (number < SIGRTMIN || number > SIGRTMAX)
    return std::nullopt;
  return number;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const auto number = base::parse_unsigned(text)) {
    if (*number < 1 || *number > static_cast<std::uint64_t>(SIGRTMAX))
      return std::nullopt;
    return static_cast<int>(*number);
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG"))
    name.erase(0, 3);
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known)
      return number;
  }
  if (name == "IOT")
    return SIGABRT;
  if (name == "CLD")
    return SIGCHLD;
  return parse_real_time(name);
}

std::string signal_name(int number) {
  if (const char* known = ::sigabbrev_np(number))
    return "SIG" + std::string(known);
  if (number >= SIGRTMIN && number <= SIGRTMAX)
    return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  return std::to_string(number);
}

}  // namespace trine::isolation
