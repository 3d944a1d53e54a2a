#include "base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/error.h"

namespace trine::base {

Pipe make_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0)
    throw_errno("cannot make a pipe");
  return {.reader = UniqueFd(ends[0]), .writer = UniqueFd(ends[1])};
}

}  // namespace trine::base
