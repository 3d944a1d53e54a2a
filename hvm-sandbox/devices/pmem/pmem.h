#pragma once

#include <cstdint>

#include "virtio/device.h"

namespace trine::hvm {

/// A disk that lies in the guest's address space: the guest reads the host's pages themselves, and has no
/// second copy of them in memory of its own. Read-only. Source: virtio 1.2 §5.19.
class Pmem : public Device {
 public:
  /// `address` is the guest's, and multiples of MappedFile::kUnit both.
  Pmem(std::uint64_t address, std::uint64_t size) : config_{.start = address, .size = size} {}

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kPmem; }
  [[nodiscard]] std::string name() const override { return "a mapped disk"; }
  [[nodiscard]] unsigned queue_count() const noexcept override { return 1; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override {
    return std::as_bytes(std::span(&config_, 1));
  }
  void notify(unsigned queue) noexcept override;

 private:
  struct Config {
    std::uint64_t start;
    std::uint64_t size;
  };
  Config config_;
};

}  // namespace trine::hvm
