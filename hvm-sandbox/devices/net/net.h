#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/unique_fd.h"
#include "devices/rate/throttle.h"
#include "loop/event_loop.h"
#include "virtio/device.h"

namespace trine::hvm {

/// What a guest is told of its network interface.
struct NetOptions {
  std::array<std::uint8_t, 6> mac{};
  std::uint16_t mtu = 1500;  ///< bytes of a packet, without its Ethernet header
  RateLimits limits;         ///< of each direction; a packet with its Ethernet header
};

/// A network interface over a tap. Packets go between the guest's buffers and the tap by readv and writev,
/// with the header that tells what of their checksums and segments is left to do: neither side does what the
/// other can leave undone. Source: virtio 1.2 §5.1, Linux Documentation/networking/tuntap.rst.
class Net : public Device {
 public:
  static constexpr std::uint16_t kLeastMtu = 68;   ///< RFC 791
  static constexpr std::size_t kHeaderBytes = 12;  ///< before each packet, on both sides

  /// `tap` gives and takes a packet at a time behind a header of kHeaderBytes, and never blocks: see
  /// prepare_tap(). `loop` outlives the device. Throws base::Error when it cannot be watched.
  Net(base::UniqueFd tap, const NetOptions& options, EventLoop& loop);
  ~Net() override;

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kNet; }
  [[nodiscard]] std::string name() const override { return "net"; }
  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] unsigned queue_count() const noexcept override { return 2; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  void activate() noexcept override;
  void notify(unsigned queue) noexcept override;
  void reset() noexcept override;

 private:
  /// Empty buffers that the guest gave, from `first` on `count` of them, in a ring.
  struct Spare {
    std::vector<Chain> chains;
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;   ///< room in them
    std::size_t slices = 0;  ///< of the guest's ring
  };

  void tap_event(std::uint32_t events) noexcept;
  void receive() noexcept;
  void transmit() noexcept;
  /// One packet to the guest. False: none is there, or no place for it.
  bool receive_one(Queue& queue) noexcept;
  /// Takes buffers from the guest until they hold `bytes`, or are all that there are. False: the driver broke
  /// a rule.
  bool gather(Queue& queue, std::size_t bytes) noexcept;
  /// The first `length` bytes of the spare buffers are a packet: they become the guest's.
  void give(Queue& queue, std::size_t length) noexcept;
  /// Gives the packet that did not fit when it was read. False: it still does not.
  bool give_pending(Queue& queue) noexcept;
  /// One packet to the tap. False: it takes none now.
  bool send(const Chain& packet) noexcept;
  [[nodiscard]] Chain& spare(std::size_t index) noexcept;
  [[nodiscard]] std::size_t most_chains() const noexcept { return merges_ ? spare_.chains.size() : 1; }
  void update_interest() noexcept;
  void lose_link(int error) noexcept;

  EventLoop& loop_;
  base::UniqueFd tap_;
  std::uint16_t mtu_;
  std::array<std::byte, 12> config_{};
  Spare spare_;
  std::vector<iovec> parts_;
  /// Takes the end of a packet for which there is too little room, and then the whole of it until there is.
  std::vector<std::byte> overflow_;
  std::size_t pending_ = 0;     ///< bytes of a packet in `overflow_`
  std::size_t most_bytes_ = 0;  ///< of a packet with its header, by what was agreed on
  std::uint32_t interest_ = 0;
  bool merges_ = false;  ///< a packet may take several buffers
  bool active_ = false;
  bool starved_ = false;   ///< no buffer to receive into: what the tap has waits
  bool tap_full_ = false;  ///< what the guest sends waits
  bool lost_ = false;
  bool held_ = false;  ///< a limit lets the guest get nothing now
  Throttle to_guest_, from_guest_;
};

}  // namespace trine::hvm
