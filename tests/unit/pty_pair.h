#pragma once

#include <pty.h>
#include <termios.h>

#include <stdexcept>

#include "base/unique_fd.h"

namespace trine::test {

/// A pseudo-terminal: what a person has is the master's side, what a program has is the peer's.
struct Terminal {
  base::UniqueFd master;
  base::UniqueFd peer;
};

inline Terminal open_terminal() {
  int master = -1;
  int peer = -1;
  if (::openpty(&master, &peer, nullptr, nullptr, nullptr) != 0)
    throw std::runtime_error("cannot open a terminal");
  return {base::UniqueFd(master), base::UniqueFd(peer)};
}

/// Takes the terminal's own doings away: no echo, no lines, no meaning of ^D.
inline void make_raw(int terminal) {
  termios mode{};
  ::tcgetattr(terminal, &mode);
  ::cfmakeraw(&mode);
  ::tcsetattr(terminal, TCSANOW, &mode);
}

}  // namespace trine::test
