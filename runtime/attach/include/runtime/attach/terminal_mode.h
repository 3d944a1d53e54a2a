#pragma once

#include <termios.h>

namespace trine::runtime::attach {

/// Puts a terminal into raw mode for as long as this lives. Nothing happens to what is no terminal.
class RawMode {
 public:
  explicit RawMode(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0)
      return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    active_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
  }
  ~RawMode() {
    if (active_)
      ::tcsetattr(fd_, TCSANOW, &before_);
  }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  int fd_;
  bool active_ = false;
  termios before_{};
};

}  // namespace trine::runtime::attach
