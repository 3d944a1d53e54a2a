#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "virtio/queue.h"

namespace trine::hvm {

/// What a device asks of what carries it.
class DeviceHost {
 public:
  virtual ~DeviceHost() = default;
  /// The queue, or null as long as the driver has not made it ready.
  virtual Queue* queue(unsigned index) noexcept = 0;
  /// Tells the driver that `queue` has completed chains, unless it does not want to hear.
  virtual void interrupt(Queue& queue) noexcept = 0;
  /// The device stopped before the queue was empty, and no event of its own will bring it back: notify() is
  /// called for the queue again, when others had their turn.
  virtual void serve_again(unsigned queue) noexcept = 0;
  /// The driver broke the rules: the device is dead until it is reset (DEVICE_NEEDS_RESET).
  virtual void fail(QueueError error) noexcept = 0;
  /// The feature bits that the driver took of those offered.
  [[nodiscard]] virtual std::uint64_t agreed() const noexcept = 0;
  /// Tells the driver that the configuration space is another.
  virtual void config_changed() noexcept = 0;
};

/// What queues can do beyond the basics: chains in tables of their own, and each side's word when it wants to
/// hear next. Source: virtio 1.2 §6.
constexpr std::uint64_t kFeatureIndirect = 1ULL << 28U;
constexpr std::uint64_t kFeatureEventIndex = 1ULL << 29U;

/// Source: virtio 1.2 §5.
enum class DeviceType : std::uint32_t {
  kNet = 1,
  kBlock = 2,
  kConsole = 3,
  kEntropy = 4,
  kBalloon = 5,
  kVsock = 19,
  kFs = 26,
  kPmem = 27
};

/// One virtio device. All calls come under the machine's device lock: a device needs none of its own. What a
/// guest does never makes one throw.
class Device {
 public:
  static constexpr std::uint16_t kMostEntries = 256;

  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  [[nodiscard]] virtual DeviceType type() const noexcept = 0;
  /// Names it in messages: "disk 1".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Feature bits of this kind of device; the transport adds VIRTIO_F_VERSION_1. Who offers
  /// kFeatureEventIndex pops until a queue is empty, or asks host().serve_again().
  [[nodiscard]] virtual std::uint64_t features() const noexcept { return 0; }
  [[nodiscard]] virtual unsigned queue_count() const noexcept = 0;
  /// The largest number of entries of a queue, a power of two, at most kMostEntries. Drivers take all, and
  /// some fill a queue of empty buffers at once, each with a page and a notification.
  [[nodiscard]] virtual std::uint16_t most_entries() const noexcept { return kMostEntries; }
  /// The configuration space, as the driver reads it.
  [[nodiscard]] virtual std::span<const std::byte> config() const noexcept { return {}; }

  /// The driver wrote 1, 2 or 4 bytes to the configuration space.
  virtual void write_config(std::uint64_t offset, std::span<const std::byte> in) noexcept {
    (void)offset;
    (void)in;
  }

  /// An event that counts what the driver puts into any queue, for a device that waits for it on a thread of
  /// its own; -1: notify() is called.
  [[nodiscard]] virtual int own_notices() const noexcept { return -1; }

  /// Whether notify_at_once() is called for this queue, by the vCPU that notifies, when nobody else is at
  /// work.
  [[nodiscard]] virtual bool serves_at_once(unsigned queue) const noexcept {
    (void)queue;
    return false;
  }
  /// As notify(), on the vCPU's thread, which saves waking another: for what takes little time and never
  /// waits. The rest is left to host().serve_again().
  virtual void notify_at_once(unsigned queue) noexcept { host_->serve_again(queue); }

  /// The driver is ready (DRIVER_OK).
  virtual void activate() noexcept {}
  /// The driver put something into a queue that is ready.
  virtual void notify(unsigned queue) noexcept = 0;
  /// The driver lets go of the device: no queue is touched any more.
  virtual void reset() noexcept {}

  void attach(DeviceHost& host) { host_ = &host; }

 protected:
  /// Pops every chain of a queue and hands it to `serve(chain)`, which returns the bytes written or an error.
  template <class Serve>
  void serve_all(unsigned index, Serve serve) noexcept {
    Queue* queue = host_->queue(index);
    if (queue == nullptr)
      return;
    bool any = false;
    // At most one ring's worth, so that a driver that always adds cannot keep the others waiting.
    for (unsigned left = queue->size();; --left) {
      if (left == 0) {
        host_->serve_again(index);
        break;
      }
      const auto popped = queue->pop(chain_);
      if (!popped) {
        host_->fail(popped.error());
        return;
      }
      if (!*popped)
        break;
      const std::expected<std::uint32_t, QueueError> written = serve(chain_);
      if (!written) {
        host_->fail(written.error());
        return;
      }
      queue->complete(chain_, *written);
      any = true;
    }
    if (any)
      host_->interrupt(*queue);
  }

  [[nodiscard]] DeviceHost& host() noexcept { return *host_; }
  [[nodiscard]] Chain& chain() noexcept { return chain_; }

 private:
  DeviceHost* host_ = nullptr;
  Chain chain_;
};

}  // namespace trine::hvm
