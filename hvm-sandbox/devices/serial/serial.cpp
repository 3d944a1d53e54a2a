#include "devices/serial/serial.h"

namespace trine::hvm {
namespace {

enum Port : std::uint16_t {
  kData = 0,
  kInterruptEnable = 1,
  kInterruptIdentity = 2,
  kFifoControl = 2,
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5,
  kModemStatus = 6,
  kScratch = 7,
};

constexpr std::uint8_t kTransmitInterrupt = 0x02;
constexpr std::uint8_t kNoInterrupt = 0x01;
constexpr std::uint8_t kTransmitEmpty = 0x02;
constexpr std::uint8_t kFifoOn = 0xc0;
constexpr std::uint8_t kIdle = 0x60;       ///< line status: nothing left to send
constexpr std::uint8_t kConnected = 0xb0;  ///< modem status: carrier, data set ready, clear to send
constexpr std::uint8_t kLoop = 0x10;

}  // namespace

void Serial::sent() noexcept {
  if ((interrupt_enable_ & kTransmitInterrupt) == 0)
    return;
  pending_ = true;
  raise_();
}

std::uint8_t Serial::read(std::uint16_t offset) noexcept {
  switch (offset) {
    case kData:
      return divisor_latched() ? static_cast<std::uint8_t>(divisor_) : 0;
    case kInterruptEnable:
      return divisor_latched() ? static_cast<std::uint8_t>(divisor_ >> 8U) : interrupt_enable_;
    case kInterruptIdentity: {
      const std::uint8_t identity = pending_ ? kTransmitEmpty : kNoInterrupt;
      pending_ = false;
      return static_cast<std::uint8_t>(identity | (fifo_ ? kFifoOn : 0));
    }
    case kLineControl:
      return line_control_;
    case kModemControl:
      return modem_control_;
    case kLineStatus:
      return kIdle;
    case kModemStatus:
      // In loopback the outputs come back as inputs: how a driver finds out that there is a port.
      if ((modem_control_ & kLoop) != 0) {
        return static_cast<std::uint8_t>(((modem_control_ & 0x02U) << 3U) | ((modem_control_ & 0x01U) << 5U) |
                                         ((modem_control_ & 0x0cU) << 4U));
      }
      return kConnected;
    case kScratch:
      return scratch_;
    default:
      return 0xff;
  }
}

void Serial::write(std::uint16_t offset, std::uint8_t value) noexcept {
  switch (offset) {
    case kData:
      if (divisor_latched()) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff00U) | value);
        break;
      }
      if ((modem_control_ & kLoop) == 0) {
        const char character = static_cast<char>(value);
        log_.append({&character, 1});
      }
      sent();
      break;
    case kInterruptEnable:
      if (divisor_latched()) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0x00ffU) | (value << 8U));
        break;
      }
      interrupt_enable_ = value & 0x0f;
      sent();
      break;
    case kFifoControl:
      fifo_ = (value & 1U) != 0;
      break;
    case kLineControl:
      line_control_ = value;
      break;
    case kModemControl:
      modem_control_ = value & 0x1f;
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:
      break;
  }
}

}  // namespace trine::hvm
