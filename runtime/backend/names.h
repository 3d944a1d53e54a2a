#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/error.h"

namespace trine::runtime::backend {

/// A word of the specification and what the kernel or a library calls it.
template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

/// The value of a word in a table of Named. `field` begins the sentence of the Error for one that is not
/// there, which gives those that are.
template <typename Table>
auto look_up(const Table& table, std::string_view name, const std::string& field) {
  const auto* entry = std::ranges::find(table, name, &Table::value_type::name);
  if (entry != table.end())
    return entry->value;
  std::string known;
  for (const auto& other : table)
    known += (known.empty() ? "" : ", ") + std::string(other.name);
  throw base::Error(field + " '" + std::string(name) + "' is unknown", 0, "known are " + known);
}

}  // namespace trine::runtime::backend
