#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace trine::isolation {

/// "0-3,7" as {0, 1, 2, 3, 7}, sorted and each once. Nothing for a text that is no such list or names a
/// number above `max`. An empty text is an empty list. Source: cpuset(7), "List format".
std::optional<std::vector<unsigned>> parse_id_list(std::string_view text, unsigned max);

constexpr unsigned kMaxCpu = 8191;   ///< of CONFIG_NR_CPUS
constexpr unsigned kMaxNode = 1023;  ///< of CONFIG_NODES_SHIFT

}  // namespace trine::isolation
