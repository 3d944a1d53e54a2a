#pragma once

#include "base/unique_fd.h"

namespace trine::base {

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

/// pipe2() with O_CLOEXEC and `flags`.
Pipe make_pipe(int flags = 0);

}  // namespace trine::base
