#pragma once

#include <string>
#include <vector>

namespace trine::images {

/// One path that differs: 'A' is new, 'C' changed, 'D' removed.
struct Change {
  char kind;
  std::string path;  ///< absolute
};

/// What a writable layer changes of the image below it, sorted by path, as `docker diff` tells it: what is in
/// a removed directory is not listed, what is in a new one is, and a directory in which something changed has
/// changed too. Both are walked by descriptors, and somebody may write to `upper` meanwhile. Throws Error.
std::vector<Change> diff_layer(int upper, int image);

/// "C /etc"; with `escape`, bytes that would move a terminal's cursor as \ooo.
std::string to_line(const Change& change, bool escape);

}  // namespace trine::images
