#pragma once

#include <cstdint>
#include <functional>

#include "devices/console/console_log.h"

namespace trine::hvm {

/// A 16550 serial port that only sends: the console of a guest's first moments.
/// Source: National Semiconductor PC16550D, as Linux' 8250 driver uses it.
class Serial {
 public:
  static constexpr std::uint16_t kBase = 0x3f8;
  static constexpr std::uint16_t kPorts = 8;
  static constexpr std::uint32_t kInterrupt = 4;

  /// `raise` interrupts the guest.
  Serial(ConsoleLog& log, std::function<void()> raise) : log_(log), raise_(std::move(raise)) {}

  [[nodiscard]] std::uint8_t read(std::uint16_t offset) noexcept;
  void write(std::uint16_t offset, std::uint8_t value) noexcept;

 private:
  [[nodiscard]] bool divisor_latched() const noexcept { return (line_control_ & 0x80U) != 0; }
  void sent() noexcept;

  ConsoleLog& log_;
  std::function<void()> raise_;
  std::uint8_t interrupt_enable_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t modem_control_ = 0;
  std::uint8_t scratch_ = 0;
  std::uint16_t divisor_ = 12;
  bool fifo_ = false;
  bool pending_ = false;  ///< "transmitter empty" has not been read yet
};

}  // namespace trine::hvm
