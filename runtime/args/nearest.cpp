#include <algorithm>
#include <limits>
#include <numeric>

#include "runtime/args/flags.h"

namespace trine::runtime::args {
namespace {

std::string_view without_dashes(std::string_view word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

/// How many letters are missing, too many, wrong, or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // of a word that is worth a guess
  const std::string_view typed = without_dashes(word);
  if (typed.empty() || typed.size() > kLongest)
    return {};
  const auto extra = [&](std::string_view name) {
    const std::size_t size = without_dashes(name).size();
    return size > typed.size() ? size - typed.size() : typed.size() - size;
  };
  std::string best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const auto& candidate : known) {
    const std::string_view name = without_dashes(candidate);
    // The beginning of a name is better than anything misspelt, and of several the nearest in length.
    const bool beginning = name.starts_with(typed);
    const std::size_t found = beginning ? 0 : distance(typed, name);
    const bool near = beginning || found <= std::max<std::size_t>(1, typed.size() / 3);
    const bool better = found < best_distance || (found == best_distance && extra(name) < extra(best));
    if (near && better) {
      best = candidate;
      best_distance = found;
    }
  }
  return best;
}

}  // namespace trine::runtime::args
