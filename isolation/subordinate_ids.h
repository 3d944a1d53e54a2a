#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isolation/plan.h"

namespace trine::isolation {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// The ranges of a user, by name or number, in a text of the form of /etc/subuid (subuid(5)).
std::vector<IdRange> find_id_ranges(std::string_view text, std::string_view user, std::uint32_t id);

/// The name of a user id in a text of the form of /etc/passwd; empty when it has none.
std::string user_name(std::string_view passwd, std::uint32_t id);

/// `own` becomes 0, the ranges follow from 1 on.
std::vector<IdMapping> map_ids(std::uint32_t own, const std::vector<IdRange>& ranges);

}  // namespace trine::isolation
