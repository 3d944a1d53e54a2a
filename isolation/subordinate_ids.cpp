#include "subordinate_ids.h"

#include <limits>

#include "base/text.h"

namespace trine::isolation {

std::vector<IdRange> find_id_ranges(std::string_view text, std::string_view user, std::uint32_t id) {
  std::vector<IdRange> ranges;
  for (const auto& line : base::split(text, '\n', base::SplitEmpty::kSkip)) {
    const auto fields = base::split(line, ':');
    if (fields.size() != 3 || fields[0].empty())
      continue;
    if (fields[0] != user && fields[0] != std::to_string(id))
      continue;
    const auto first = base::parse_unsigned(fields[1]);
    const auto count = base::parse_unsigned(fields[2]);
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
    if (!first || !count || *count == 0 || *first > kMax || *count > kMax - *first)
      continue;
    ranges.push_back({static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*count)});
  }
  return ranges;
}

std::string user_name(std::string_view passwd, std::uint32_t id) {
  for (const auto& line : base::split(passwd, '\n', base::SplitEmpty::kSkip)) {
    const auto fields = base::split(line, ':');
    if (fields.size() >= 4 && fields[2] == std::to_string(id))
      return fields[0];
  }
  return {};
}

std::vector<std::string> map_arguments(pid_t pid, std::uint32_t own, const std::vector<IdRange>& ranges) {
  std::vector<std::string> arguments{std::to_string(pid), "0", std::to_string(own), "1"};
  std::uint64_t next = 1;
  for (const auto& range : ranges) {
    arguments.push_back(std::to_string(next));
    arguments.push_back(std::to_string(range.first));
    arguments.push_back(std::to_string(range.count));
    next += range.count;
  }
  return arguments;
}

}  // namespace trine::isolation
