#pragma once

#include <array>

#include "base/unique_fd.h"

/// What a new process gets of our own standard streams.
namespace trine::runtime::engine {

/// For a process whose user did not ask for the standard input. Throws Error.
void empty_standard_input();

/// All three lead nowhere while this lives: nobody stays to hear a detached process.
class SilentStreams {
 public:
  SilentStreams();
  ~SilentStreams();
  SilentStreams(const SilentStreams&) = delete;
  SilentStreams& operator=(const SilentStreams&) = delete;

 private:
  std::array<base::UniqueFd, 3> before_;
};

/// Leaves a child of ours behind that takes what a detached process writes to its terminal, until nobody has
/// the terminal any more: a terminal without a master hangs up. Throws Error.
void leave_terminal_reader(base::UniqueFd master);

}  // namespace trine::runtime::engine
