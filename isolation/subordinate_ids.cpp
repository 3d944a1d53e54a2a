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

std::vector<IdMapping> map_ids(std::uint32_t own, const std::vector<IdRange>& ranges) {
  std::vector<IdMapping> mappings{{.container_id = 0, .host_id = own, .size = 1}};
  std::uint32_t next = 1;
  for (const auto& range : ranges) {
    mappings.push_back({.container_id = next, .host_id = range.first, .size = range.count});
    next += range.count;
  }
  return mappings;
}

}  // namespace trine::isolation
