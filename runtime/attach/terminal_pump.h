#pragma once

#include <poll.h>

#include <array>
#include <cstddef>
#include <optional>

#include "base/unique_fd.h"

namespace trine::runtime::attach {

/// Carries bytes between our stdio and an instance's terminal. Never blocks: a side that takes no more stops
/// the other from being read. Our own descriptors stay in the mode they have, for they are shared with the
/// shell.
class TerminalPump {
 public:
  TerminalPump(base::UniqueFd master, bool interactive);

  /// What to wait for: input, output, and both ways of the master.
  static constexpr std::size_t kWaits = 3;
  void prepare(std::array<pollfd, kWaits>& waits) const;
  /// Acts on what poll() has found. Throws Error when our standard output fails.
  void carry(const std::array<pollfd, kWaits>& waits);
  /// Milliseconds after which on_timeout() is due; -1: never.
  [[nodiscard]] int timeout() const { return repeat_end_ ? end_interval_ : -1; }
  void on_timeout();
  /// After the instance has ended: what it wrote last.
  void drain();
  /// Tells the instance the size of our terminal, if we have one.
  void resize() const;

 private:
  struct Buffer {
    std::array<char, 32768> data;
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool empty() const { return begin == end; }
  };
  bool read_master();
  void write_output();
  void read_input();
  void write_master();
  void type_end();

  base::UniqueFd master_;
  bool input_open_;
  bool master_open_ = true;
  bool line_begun_ = false;  ///< the last byte of the input was no newline
  bool repeat_end_ = false;
  int end_interval_ = 50;
  Buffer input_;
  Buffer output_;
};

}  // namespace trine::runtime::attach
