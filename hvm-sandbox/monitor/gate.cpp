#include "monitor/gate.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/error.h"

namespace trine::hvm {

Gate::Gate(unsigned threads) : threads_(threads), all_waiting_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!all_waiting_)
    base::throw_errno("cannot make an event for the machine's processors");
}

void Gate::close() noexcept {
  // Of a time that an open() ended before it was heard. Nobody writes while the gate is open.
  std::uint64_t stale = 0;
  (void)!::read(all_waiting_.get(), &stale, sizeof stale);
  const std::scoped_lock lock(lock_);
  if (for_good_)
    return;
  closed_ = true;
  tell_if_all();  // those that an open() has not woken yet wait on
}

void Gate::open() noexcept {
  const std::scoped_lock lock(lock_);
  closed_ = false;
  opened_.notify_all();
}

void Gate::open_for_good() noexcept {
  const std::scoped_lock lock(lock_);
  for_good_ = true;
  closed_ = false;
  opened_.notify_all();
}

void Gate::wait() noexcept {
  std::unique_lock lock(lock_);
  ++waiting_;
  tell_if_all();
  opened_.wait(lock, [this] { return !closed_; });
  --waiting_;
}

void Gate::tell_if_all() noexcept {
  if (!closed_ || waiting_ != threads_)
    return;
  const std::uint64_t one = 1;
  (void)!::write(all_waiting_.get(), &one, sizeof one);  // full means: it is told
}

}  // namespace trine::hvm
