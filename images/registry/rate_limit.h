#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace trine::images {

/// How much may be moved when no more than so many bytes a second are to be. What is not used is not saved up
/// but for a tenth of a second, so that a pause is not followed by a flood.
class RateLimit {
 public:
  RateLimit() = default;
  /// 0: no limit.
  explicit RateLimit(std::uint64_t bytes_a_second) : rate_(static_cast<double>(bytes_a_second)) {}

  void count(std::uint64_t bytes) {
    if (rate_ > 0)
      owed_ += static_cast<double>(bytes);
  }

  /// Milliseconds until a byte may pass; 0: now.
  [[nodiscard]] int wait_ms() {
    constexpr double kMostSeconds = 60;
    if (rate_ == 0)
      return 0;
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    owed_ = std::max(owed_ - elapsed * rate_, -kSavedSeconds * rate_);
    return owed_ <= 0 ? 0 : 1 + static_cast<int>(1000 * std::min(owed_ / rate_, kMostSeconds));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kSavedSeconds = 0.1;

  double rate_ = 0;
  double owed_ = 0;  ///< bytes that were moved ahead of time
  Clock::time_point last_ = Clock::now();
};

}  // namespace trine::images
