#pragma once

#include <poll.h>

#include <array>
#include <cstddef>

#include "base/unique_fd.h"

namespace trine::hvm {

/// Carries bytes from one descriptor to another until the first ends or the second takes no more, as part of
/// a poll(2) loop. What is carried is bounded by its buffer: a reader that is slow slows the writer down.
class Pump {
 public:
  static constexpr std::size_t kBufferBytes = 32768;
  static constexpr std::size_t kWaits = 2;

  /// Descriptors that are shared with other programs stay in blocking mode: they are written to in pieces
  /// that a pipe takes whole when it says that it takes anything.
  enum class Target { kOwn, kShared };

  Pump(base::UniqueFd from, base::UniqueFd to, Target target);

  /// What to wait for; an entry without a descriptor is none.
  void prepare(std::array<pollfd, kWaits>& waits) const;
  /// Goes on by what the wait gave.
  void carry(const std::array<pollfd, kWaits>& waits);

  /// Everything was carried, or can not be: both descriptors are closed, a socket for writing only (its other
  /// direction may be another pump's).
  [[nodiscard]] bool done() const { return done_; }
  void stop();

 private:
  void read_some();
  void write_some();

  base::UniqueFd from_, to_;
  Target target_;
  std::array<std::byte, kBufferBytes> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace trine::hvm
