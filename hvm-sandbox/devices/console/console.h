#pragma once

#include "devices/console/console_log.h"
#include "virtio/device.h"

namespace trine::hvm {

/// The guest's console once its drivers run: output only, into the log. Source: virtio 1.2 §5.3.
class Console : public Device {
 public:
  /// `log` outlives the device.
  explicit Console(ConsoleLog& log) : log_(log) {}

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kConsole; }
  [[nodiscard]] std::string name() const override { return "console"; }
  [[nodiscard]] unsigned queue_count() const noexcept override { return 2; }
  /// The driver fills the queue for input, in which nothing ever comes, and writes one text at a time.
  [[nodiscard]] std::uint16_t most_entries() const noexcept override { return 16; }
  void notify(unsigned queue) noexcept override;

 private:
  ConsoleLog& log_;
};

}  // namespace trine::hvm
