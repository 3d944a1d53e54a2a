#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "devices/fs/server.h"
#include "virtio/device.h"

namespace trine::hvm {

/// Lets the monitor have the descriptors that so many shares may take, and tells what each may: all of them
/// leave enough for the rest of the monitor.
FsBounds make_room_for_shares(std::size_t shares) noexcept;

/// A directory or file of the host, as a file system of the guest's. Source: virtio 1.2 §5.11.
///
/// A thread of its own takes the requests and serves them: what waits for a disk holds up neither the other
/// devices nor the processors. It holds the device lock only to take a request and to give the answer.
class Fs : public Device {
 public:
  static constexpr std::size_t kMostTag = 36;

  /// `tag` is the name under which the guest mounts it, at most kMostTag bytes. `device_lock` outlives the
  /// device. The thread keeps the rights over files that the caller has now, and calls `confine` before it
  /// serves anything. Throws base::Error.
  Fs(std::string tag, FileServer server, std::mutex& device_lock, std::function<void()> confine);
  ~Fs() override;

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kFs; }
  [[nodiscard]] std::string name() const override { return "share " + tag_; }
  [[nodiscard]] std::uint64_t features() const noexcept override {
    return kFeatureIndirect | kFeatureEventIndex;
  }
  [[nodiscard]] unsigned queue_count() const noexcept override { return kQueues; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  [[nodiscard]] int own_notices() const noexcept override { return asked_.get(); }
  void notify(unsigned queue) noexcept override;
  void reset() noexcept override;

 private:
  static constexpr unsigned kQueues = 2;  ///< of what cannot wait (FORGET), and of requests

  void work(const std::function<void()>& confine) noexcept;
  /// Waits until the guest asks for something; false when the device is to go.
  bool wait_for_requests() noexcept;
  /// Wakes the thread.
  void wake() noexcept;
  /// Serves the next request; false when there is none.
  bool serve_next() noexcept;
  /// Takes a request, under the device lock; the queue's number.
  std::optional<unsigned> take() noexcept;

  std::string tag_;
  FileServer server_;
  std::mutex& device_lock_;
  std::array<std::byte, kMostTag + 4> config_{};

  base::UniqueFd asked_;  ///< counts the guest's notifications; the thread waits for it, nobody between them
  std::mutex lock_;       ///< of what follows; never held while the device lock is waited for
  std::condition_variable changed_;
  bool serving_ = false;  ///< a request's memory is in use
  bool stopping_ = false;
  unsigned resets_ = 0;  ///< under the device lock: a request from before a reset has no answer
  std::thread thread_;   ///< last: it uses all of the above
};

}  // namespace trine::hvm
