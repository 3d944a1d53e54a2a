#include "glob.h"

namespace trine::runtime::policy {

bool glob_fits(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t place = 0;
  // Where to go on when what follows the last star does not fit: one character further.
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < text.size()) {
    if (place < pattern.size() && pattern[place] == '*') {
      star = place++;
      resume = at;
    } else if (place < pattern.size() && (pattern[place] == '?' || pattern[place] == text[at])) {
      ++place;
      ++at;
    } else if (star != std::string_view::npos) {
      place = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', place) == std::string_view::npos;
}

}  // namespace trine::runtime::policy
