#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/unique_fd.h"

namespace trine::hvm {

/// Waits for descriptors and calls who watches them, on one thread and under the device lock: whatever the
/// callback touches needs no lock of its own. The vCPUs take the same lock for an access to a device.
class EventLoop {
 public:
  using Callback = std::function<void(std::uint32_t events)>;

  /// Throws base::Error when the kernel has no descriptors left.
  EventLoop();

  /// Watches `fd` for `events` (EPOLLIN, EPOLLOUT; 0: only for its end). The caller keeps the descriptor open
  /// until unwatch(). Under the device lock, or before run(). False when the kernel refuses.
  [[nodiscard]] bool watch(int fd, std::uint32_t events, Callback callback) noexcept;
  /// The same, also while the loop is held: for what is no business of the guest's.
  [[nodiscard]] bool watch_always(int fd, std::uint32_t events, Callback callback) noexcept;
  void change(int fd, std::uint32_t events) noexcept;
  void unwatch(int fd) noexcept;
  /// For what is watched always.
  void change_always(int fd, std::uint32_t events) noexcept;
  void unwatch_always(int fd) noexcept;

  /// From now on only watch_always() is heeded; what happens elsewhere is kept until release(). Under the
  /// device lock, on the loop's thread.
  void hold() noexcept { is_held_ = true; }
  void release() noexcept { is_held_ = false; }
  [[nodiscard]] bool is_held() const noexcept { return is_held_; }

  /// Until stop().
  void run();
  /// From any thread, and from a signal handler's.
  void stop() noexcept;

  [[nodiscard]] std::mutex& device_lock() noexcept { return device_lock_; }

 private:
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  base::UniqueFd
      held_;  ///< waited on instead of epoll_ while the loop is held; made early: later nothing may be
  std::map<int, std::shared_ptr<Callback>> callbacks_;
  bool is_held_ = false;
  std::mutex device_lock_;
};

}  // namespace trine::hvm
