#pragma once

#include "virtio/device.h"

namespace trine::hvm {

/// The host's random numbers for the guest. Source: virtio 1.2 §5.4.
///
/// A whole device: the template for the next.
class Rng : public Device {
 public:
  /// The most that one request is given: a driver asks again, and the monitor is never busy for long.
  static constexpr std::uint32_t kMostBytes = 4096;

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kEntropy; }
  [[nodiscard]] std::string name() const override { return "rng"; }
  [[nodiscard]] unsigned queue_count() const noexcept override { return 1; }
  void notify(unsigned queue) noexcept override;
};

}  // namespace trine::hvm
