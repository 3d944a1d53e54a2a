#include "loop/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace trine::hvm {
namespace {

bool add(int epoll, int fd, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.fd = fd}};
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void modify(int epoll, int fd, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.fd = fd}};
  (void)::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      held_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_ || !wake_ || !held_ || !add(epoll_.get(), wake_.get(), EPOLLIN) ||
      !add(held_.get(), wake_.get(), EPOLLIN))
    base::throw_errno("cannot make the monitor's event loop");
}

bool EventLoop::watch(int fd, std::uint32_t events, Callback callback) noexcept {
  if (!add(epoll_.get(), fd, events))
    return false;
  callbacks_[fd] = std::make_shared<Callback>(std::move(callback));
  return true;
}

bool EventLoop::watch_always(int fd, std::uint32_t events, Callback callback) noexcept {
  return watch(fd, events, std::move(callback)) && add(held_.get(), fd, events);
}

// These fail only for what is not watched there.
void EventLoop::change(int fd, std::uint32_t events) noexcept {
  modify(epoll_.get(), fd, events);
}

void EventLoop::change_always(int fd, std::uint32_t events) noexcept {
  change(fd, events);
  modify(held_.get(), fd, events);
}

void EventLoop::unwatch(int fd) noexcept {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  callbacks_.erase(fd);
}

void EventLoop::unwatch_always(int fd) noexcept {
  unwatch(fd);
  (void)::epoll_ctl(held_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::run() {
  std::array<epoll_event, 32> events;
  bool is_stopped = false;  // what has happened by then is heard all the same
  while (!is_stopped) {
    const bool was_held = is_held_;
    const int epoll = was_held ? held_.get() : epoll_.get();
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR)
      base::throw_errno("cannot wait for the machine's events");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wake_.get()) {
        std::uint64_t wishes = 0;
        (void)!::read(wake_.get(), &wishes, sizeof wishes);
        is_stopped = true;
        continue;
      }
      const std::scoped_lock lock(device_lock_);
      // A callback may unwatch another descriptor, or itself.
      const auto found = callbacks_.find(events[i].data.fd);
      if (found == callbacks_.end())
        continue;
      const std::shared_ptr<Callback> callback = found->second;
      (*callback)(events[i].events);
      // It held the loop, or released it: the rest is heard again by whoever waits for it then.
      if (is_held_ != was_held)
        break;
    }
  }
}

void EventLoop::stop() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);  // a full counter wakes as well
}

}  // namespace trine::hvm
