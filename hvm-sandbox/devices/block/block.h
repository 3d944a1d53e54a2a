#pragma once

#include <array>
#include <string>

#include "base/unique_fd.h"
#include "virtio/device.h"

namespace trine::hvm {

/// A disk that is a file. Source: virtio 1.2 §5.2.
class Block : public Device {
 public:
  static constexpr std::uint64_t kSectorBytes = 512;

  /// `file` is open for what the disk is for. The disk ends with the last whole sector. `identity` is what
  /// the guest reads as the disk's serial number, at most 20 characters. Throws base::Error when the file has
  /// no size.
  Block(base::UniqueFd file, bool read_only, std::string identity);

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kBlock; }
  [[nodiscard]] std::string name() const override { return "disk " + identity_; }
  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] unsigned queue_count() const noexcept override { return 1; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  void notify(unsigned queue) noexcept override;

 private:
  std::expected<std::uint32_t, QueueError> serve(const Chain& chain) noexcept;
  [[nodiscard]] std::uint8_t read(const Chain& chain, std::uint64_t sector, std::size_t length) noexcept;
  [[nodiscard]] std::uint8_t write(const Chain& chain, std::uint64_t sector) noexcept;
  [[nodiscard]] bool is_inside(std::uint64_t sector, std::size_t length) const noexcept;

  base::UniqueFd file_;
  bool read_only_;
  std::string identity_;
  std::uint64_t sectors_ = 0;
  std::array<std::byte, 16> config_{};
};

}  // namespace trine::hvm
