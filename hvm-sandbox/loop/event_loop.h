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
  void change(int fd, std::uint32_t events) noexcept;
  void unwatch(int fd) noexcept;

  /// Until stop().
  void run();
  /// From any thread, and from a signal handler's.
  void stop() noexcept;

  [[nodiscard]] std::mutex& device_lock() noexcept { return device_lock_; }

 private:
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  std::map<int, std::shared_ptr<Callback>> callbacks_;
  std::mutex device_lock_;
};

}  // namespace trine::hvm
