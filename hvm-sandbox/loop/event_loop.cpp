#include "loop/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace trine::hvm {

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_.get()}};
  if (!epoll_ || !wake_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    base::throw_errno("cannot make the monitor's event loop");
}

bool EventLoop::watch(int fd, std::uint32_t events, Callback callback) noexcept {
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return false;
  callbacks_[fd] = std::make_shared<Callback>(std::move(callback));
  return true;
}

void EventLoop::change(int fd, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.fd = fd}};
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);  // fails only for what is not watched
}

void EventLoop::unwatch(int fd) noexcept {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);  // fails only for what is not watched
  callbacks_.erase(fd);
}

void EventLoop::run() {
  std::array<epoll_event, 32> events;
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR)
      base::throw_errno("cannot wait for the machine's events");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wake_.get()) {
        std::uint64_t wishes = 0;
        (void)!::read(wake_.get(), &wishes, sizeof wishes);
        return;
      }
      const std::scoped_lock lock(device_lock_);
      // A callback may unwatch another descriptor, or itself.
      const auto found = callbacks_.find(events[i].data.fd);
      if (found == callbacks_.end())
        continue;
      const std::shared_ptr<Callback> callback = found->second;
      (*callback)(events[i].events);
    }
  }
}

void EventLoop::stop() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);  // a full counter wakes as well
}

}  // namespace trine::hvm
