#include "devices/rate/throttle.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace trine::hvm {

Throttle::~Throttle() {
  if (timer_)
    loop_->unwatch(timer_.get());
}

void Throttle::limit(EventLoop& loop, const RateLimits& limits, const std::string& device,
                     std::function<void()> go_on) {
  bytes_ = TokenBucket(limits.bytes, limits.bytes);
  counts_ = TokenBucket(limits.count, limits.count);
  base::UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const auto on_time = [fd = timer.get(), go_on = std::move(go_on)](std::uint32_t /*events*/) {
    std::uint64_t count = 0;
    (void)!::read(fd, &count, sizeof count);
    go_on();
  };
  if (!timer || !loop.watch(timer.get(), EPOLLIN, on_time))
    base::throw_errno("cannot make a timer for " + device);
  loop_ = &loop;
  timer_ = std::move(timer);
}

bool Throttle::may_do(std::uint64_t bytes) noexcept {
  if (!timer_)
    return true;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto now = std::chrono::steady_clock::now();
  const auto left = std::max(bytes_.time_until(bytes, now), counts_.time_until(1, now));
  if (left.count() == 0)
    return true;
  const itimerspec when{.it_interval = {},
                        .it_value = {.tv_sec = static_cast<time_t>(left.count() / kSecond),
                                     .tv_nsec = static_cast<long>(left.count() % kSecond)}};
  (void)::timerfd_settime(timer_.get(), 0, &when, nullptr);
  return false;
}

void Throttle::done(std::uint64_t bytes) noexcept {
  bytes_.owe(bytes);
  counts_.owe(1);
}

}  // namespace trine::hvm
