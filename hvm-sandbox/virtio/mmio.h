#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory/guest_memory.h"
#include "virtio/device.h"

namespace trine::hvm {

/// What a transport is connected with. All is called under the device lock.
struct MmioWires {
  std::function<void()> interrupt;            ///< of the guest
  std::function<void(unsigned)> serve_again;  ///< notify() of this queue, later
  /// A page that the guest reads in place of the registers, so that reading one costs it no exit; none:
  /// read() answers. The acknowledgement of used buffers (writing 1) then need not reach write() either.
  std::span<std::byte> window;
};

/// The registers through which a driver finds and sets up a device. Source: virtio 1.2 §4.2.2.
///
/// Reads and writes are the driver's, of 4 bytes at 4-byte offsets (1 and 2 bytes too in the configuration
/// space). What makes no sense is ignored, reads give 0. Once the driver is ready (DRIVER_OK) the queues are
/// frozen until it resets the device.
///
/// With a window, the interrupt status of used buffers is always set: drivers look into their rings anyway.
class MmioTransport : private DeviceHost {
 public:
  static constexpr std::uint64_t kWindow = 0x1000;  ///< bytes of address space
  static constexpr std::uint32_t kNotifyRegister = 0x50;
  static constexpr std::uint32_t kAcknowledgeRegister = 0x64;
  static constexpr std::uint32_t kUsedBuffer = 1;  ///< the bit of an interrupt's status that says so

  MmioTransport(std::unique_ptr<Device> device, const GuestMemory& memory, MmioWires wires);
  /// The device first: a thread of its own may use the rest until then.
  ~MmioTransport() override { device_.reset(); }
  MmioTransport(const MmioTransport&) = delete;
  MmioTransport& operator=(const MmioTransport&) = delete;

  void read(std::uint64_t offset, std::span<std::byte> out) noexcept;
  void write(std::uint64_t offset, std::span<const std::byte> in) noexcept;
  /// As a write of `queue` to the notify register.
  void notify(unsigned queue) noexcept;
  /// The same on a vCPU's thread, for queues that are served there.
  void notify_at_once(unsigned queue) noexcept;

  [[nodiscard]] Device& device() noexcept { return *device_; }
  /// How the driver broke the rules, for the message when the machine ends.
  [[nodiscard]] std::optional<QueueError> failure() const noexcept { return failure_; }

 private:
  struct QueueState {
    QueueLayout layout;
    bool ready = false;
    std::optional<Queue> queue;
  };

  Queue* queue(unsigned index) noexcept override;
  void interrupt(Queue& queue) noexcept override;
  void serve_again(unsigned queue) noexcept override;
  void config_changed() noexcept override;
  void fail(QueueError error) noexcept override;
  [[nodiscard]] std::uint64_t agreed() const noexcept override { return driver_features_; }

  [[nodiscard]] std::uint32_t read_register(std::uint64_t offset) noexcept;
  void write_register(std::uint64_t offset, std::uint32_t value) noexcept;
  void write_queue_register(std::uint64_t offset, std::uint32_t value) noexcept;
  void write_status(std::uint32_t value) noexcept;
  void make_ready(QueueState& state, bool ready) noexcept;
  void reset() noexcept;
  /// Makes the window say what the registers do.
  void show() noexcept;
  void show(std::uint64_t offset, std::uint32_t value) noexcept;
  [[nodiscard]] std::uint64_t offered() const noexcept;
  [[nodiscard]] bool is_live() const noexcept;

  std::unique_ptr<Device> device_;
  const GuestMemory& memory_;
  MmioWires wires_;
  std::vector<QueueState> queues_;  ///< as many as the device has
  std::uint32_t status_ = 0;
  std::uint32_t device_feature_word_ = 0;
  std::uint32_t driver_feature_word_ = 0;
  std::uint64_t driver_features_ = 0;
  std::uint32_t selected_ = 0;
  std::uint32_t interrupt_status_ = 0;
  std::uint32_t config_generation_ = 0;
  std::optional<QueueError> failure_;
};

}  // namespace trine::hvm
