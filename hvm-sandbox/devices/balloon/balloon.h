#pragma once

#include <array>

#include "memory/guest_memory.h"
#include "virtio/device.h"

namespace trine::hvm {

/// Takes memory back from the guest: what its kernel reports as free, which it may take again at any time
/// without a word, and what it is asked for by set_wanted(), which it has to ask back first. Source:
/// virtio 1.2 §5.5.
class Balloon : public Device {
 public:
  static constexpr std::uint32_t kPageBytes = 4096;

  explicit Balloon(const GuestMemory& memory) : memory_(memory) {}

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kBalloon; }
  [[nodiscard]] std::string name() const override { return "balloon"; }
  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] unsigned queue_count() const noexcept override { return 3; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override {
    return std::as_bytes(std::span(&config_, 1));
  }
  void write_config(std::uint64_t offset, std::span<const std::byte> in) noexcept override;
  void activate() noexcept override { active_ = true; }
  void reset() noexcept override;
  void notify(unsigned queue) noexcept override;

  /// How much the guest is to give back, in bytes: at most its memory but for 32 MiB. False: it has no driver
  /// (yet).
  bool set_wanted(std::uint64_t bytes) noexcept;

  /// In bytes. What the guest has given back as it was asked, by its own account.
  [[nodiscard]] std::uint64_t given() const noexcept {
    return std::uint64_t{config_.given_pages} * kPageBytes;
  }
  [[nodiscard]] std::uint64_t wanted() const noexcept {
    return std::uint64_t{config_.wanted_pages} * kPageBytes;
  }
  /// All that was ever reported as free.
  [[nodiscard]] std::uint64_t reported() const noexcept { return reported_; }

 private:
  std::expected<std::uint32_t, QueueError> inflate(const Chain& chain) noexcept;
  std::expected<std::uint32_t, QueueError> take_reports(const Chain& chain) noexcept;

  /// As the driver reads and writes it (§5.5.4).
  struct Config {
    std::uint32_t wanted_pages = 0;
    std::uint32_t given_pages = 0;
  };

  const GuestMemory& memory_;
  Config config_;
  std::uint64_t reported_ = 0;
  bool active_ = false;
};

}  // namespace trine::hvm
