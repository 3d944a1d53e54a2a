#pragma once

#include <unistd.h>

#include <cstdio>

#include "base/unique_fd.h"

namespace trine::test {

/// Other descriptors in the place of our standard input and output, for as long as this lives. Assertions
/// wait until it is gone: Catch prints to the standard output.
class Stdio {
 public:
  Stdio(int input, int output) : input_(::dup(STDIN_FILENO)), output_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
  }
  ~Stdio() {
    ::dup2(input_.get(), STDIN_FILENO);
    ::dup2(output_.get(), STDOUT_FILENO);
  }
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;

 private:
  base::UniqueFd input_;
  base::UniqueFd output_;
};

}  // namespace trine::test
