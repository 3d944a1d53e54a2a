#include "devices/rate/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace trine::hvm {

TokenBucket::TokenBucket(std::uint64_t rate_per_second, std::uint64_t burst)
    : rate_(static_cast<double>(rate_per_second)),
      burst_(static_cast<double>(burst == 0 ? rate_per_second : burst)),
      level_(burst_) {}

void TokenBucket::refill(Time now) noexcept {
  if (now <= last_)
    return;
  // The first time counts from the clock's own beginning: the bucket is full then.
  const double seconds = std::chrono::duration<double>(now - last_).count();
  level_ = std::min(burst_, level_ + (seconds * rate_));
  last_ = now;
}

std::chrono::nanoseconds TokenBucket::time_until(std::uint64_t amount, Time now) noexcept {
  if (!is_limited())
    return {};
  refill(now);
  const double missing = std::min(static_cast<double>(amount), burst_) - level_;
  if (missing <= 0)
    return {};
  constexpr double kMostSeconds = 3600;
  const double seconds = std::min(missing / rate_, kMostSeconds);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)) + 1);
}

}  // namespace trine::hvm
