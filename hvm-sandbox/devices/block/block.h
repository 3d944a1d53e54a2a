#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "devices/block/disk_ring.h"
#include "devices/rate/throttle.h"
#include "loop/event_loop.h"
#include "virtio/device.h"

namespace trine::hvm {

/// A disk that is a file. Source: virtio 1.2 §5.2.
///
/// What the host has in memory is read at once, on the thread of the vCPU that asks. With serve_beside() all
/// else goes on by a DiskRing while the devices' thread serves others; a flush begins when every write before
/// it is done.
class Block : public Device {
 public:
  static constexpr std::uint64_t kSectorBytes = 512;

  /// `file` is open for what the disk is for. The disk ends with the last whole sector. `identity` is what
  /// the guest reads as the disk's serial number, at most 20 characters. Throws base::Error when the file has
  /// no size.
  Block(base::UniqueFd file, bool read_only, std::string identity);
  ~Block() override;

  /// Before the driver comes: lets requests wait for the disk without holding up `loop`, which outlives this.
  /// Where the kernel has no ring, they hold it up as before.
  void serve_beside(EventLoop& loop);
  /// Before the driver comes. Throws base::Error.
  void limit(EventLoop& loop, const RateLimits& limits);

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kBlock; }
  [[nodiscard]] std::string name() const override { return "disk " + identity_; }
  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] unsigned queue_count() const noexcept override { return 1; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  void notify(unsigned queue) noexcept override;
  /// Limits need a timer, which is the loop's.
  [[nodiscard]] bool serves_at_once(unsigned /*queue*/) const noexcept override {
    return !throttle_.is_limited();
  }
  void notify_at_once(unsigned queue) noexcept override;
  /// Returns when nothing is under way any more: the guest may use its buffers for something else.
  void reset() noexcept override;

 private:
  /// A request that was checked, as long as it is under way.
  struct Request {
    Chain chain;
    std::vector<iovec> parts;  ///< of its data, what is left of it
    std::size_t first_part = 0;
    std::uint64_t offset = 0;  ///< of the rest, in bytes
    std::uint32_t type = 0;
    std::uint8_t status = 0;
    std::uint32_t filled = 0;  ///< of the buffers for reading, when it succeeds
    bool is_under_way = false;
  };
  enum class Begun { kDone, kUnderWay, kLater };

  void serve() noexcept;
  /// Begins what the driver has put into the queue. True: something is done already.
  bool begin_all(Queue& queue) noexcept;
  void finish(Queue& queue, Request& request) noexcept;
  /// Checks what the guest asks for; `request.status` says what is wrong with it.
  std::expected<void, QueueError> parse(Request& request) const noexcept;
  [[nodiscard]] bool may_begin(const Request& request) noexcept;
  Begun begin(Request& request) noexcept;
  Begun transfer(Request& request) noexcept;
  /// The system call for what is left of it; EAGAIN: it would wait, and may not here.
  [[nodiscard]] ssize_t try_transfer(const Request& request) const noexcept;
  void ask_ring(const Request& request) noexcept;
  void on_done() noexcept;
  /// Takes in what the disk did of a request. True: it is done, or failed.
  bool advance(Request& request, std::int64_t result) noexcept;
  void fail(Request& request, int error) noexcept;
  [[nodiscard]] bool is_inside(std::uint64_t sector, std::size_t length) const noexcept;
  [[nodiscard]] Request* free_request() noexcept;

  base::UniqueFd file_;
  bool read_only_;
  std::string identity_;
  std::uint64_t sectors_ = 0;
  std::array<std::byte, 16> config_{};
  std::vector<Request> requests_;
  EventLoop* loop_ = nullptr;
  std::unique_ptr<DiskRing> ring_;
  unsigned under_way_ = 0;
  unsigned writes_under_way_ = 0;
  Throttle throttle_;
  bool at_once_ = false;  ///< served on a vCPU's thread, which never waits
  bool has_failed_ = false;
};

}  // namespace trine::hvm
