#include "isolation/id_list.h"

#include <algorithm>

#include "base/text.h"

namespace trine::isolation {

std::optional<std::vector<unsigned>> parse_id_list(std::string_view text, unsigned max) {
  std::vector<bool> present(max + 1);
  for (const auto& part : base::split(text, ',', base::SplitEmpty::kSkip)) {
    const auto dash = part.find('-');
    const auto first = base::parse_unsigned(base::trim(std::string_view(part).substr(0, dash)));
    const auto last = dash == std::string::npos
                          ? first
                          : base::parse_unsigned(base::trim(std::string_view(part).substr(dash + 1)));
    if (!first || !last || *first > *last || *last > max)
      return std::nullopt;
    std::fill(present.begin() + static_cast<std::ptrdiff_t>(*first),
              present.begin() + static_cast<std::ptrdiff_t>(*last) + 1, true);
  }
  std::vector<unsigned> ids;
  for (unsigned id = 0; id <= max; ++id) {
    if (present[id])
      ids.push_back(id);
  }
  return ids;
}

}  // namespace trine::isolation
