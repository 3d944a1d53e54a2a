#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Source: signal(7).
namespace trine::isolation {

/// "TERM", "SIGTERM", "15", "SIGRTMIN+3", in any case. Nothing for what is no signal.
std::optional<int> parse_signal(std::string_view text);

/// "SIGTERM"
std::string signal_name(int number);

}  // namespace trine::isolation
