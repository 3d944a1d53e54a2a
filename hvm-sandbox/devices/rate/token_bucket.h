#pragma once

#include <chrono>
#include <cstdint>

namespace trine::hvm {

/// How much a device may do: so much a second, and `burst` at once when it has done nothing for a while.
/// Units are the caller's: bytes, or requests.
///
/// What is larger than the burst passes when the bucket is full, and the bucket owes the rest: a request is
/// never cut, and never waits for ever.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// No limit.
  TokenBucket() = default;
  /// A rate of 0: no limit. Full in the beginning. A burst of 0 is a second's worth.
  TokenBucket(std::uint64_t rate_per_second, std::uint64_t burst);

  [[nodiscard]] bool is_limited() const noexcept { return rate_ > 0; }

  /// Takes `amount`, whatever there is: what was done is paid later.
  void owe(std::uint64_t amount) noexcept {
    if (is_limited())
      level_ -= static_cast<double>(amount);
  }

  /// How long until there is as much, or the bucket is full; 0: now.
  [[nodiscard]] std::chrono::nanoseconds time_until(std::uint64_t amount, Time now) noexcept;

 private:
  void refill(Time now) noexcept;

  double rate_ = 0;
  double burst_ = 0;
  double level_ = 0;  ///< negative: owed
  Time last_;
};

}  // namespace trine::hvm
