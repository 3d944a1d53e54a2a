#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "devices/rate/token_bucket.h"
#include "loop/event_loop.h"

namespace trine::hvm {

/// What a device may do in a second, of bytes and of requests or packets; 0: as much as it can. A second's
/// worth may be done at once.
struct RateLimits {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;

  [[nodiscard]] bool any() const noexcept { return bytes > 0 || count > 0; }
};

/// Holds a device to its limits, and calls it when it may go on. Under the device lock, on the loop's thread.
class Throttle {
 public:
  /// No limit.
  Throttle() = default;
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;
  ~Throttle();

  /// Once, before the device is used. `loop` outlives this. Throws base::Error, which names `device`.
  void limit(EventLoop& loop, const RateLimits& limits, const std::string& device,
             std::function<void()> go_on);
  [[nodiscard]] bool is_limited() const noexcept { return static_cast<bool>(timer_); }

  /// Whether one of this many bytes (1: its size is known only when it is done) may be done now; else `go_on`
  /// is called when it may.
  [[nodiscard]] bool may_do(std::uint64_t bytes) noexcept;
  /// It was done, and counts.
  void done(std::uint64_t bytes) noexcept;

 private:
  TokenBucket bytes_, counts_;
  EventLoop* loop_ = nullptr;
  base::UniqueFd timer_;
};

}  // namespace trine::hvm
