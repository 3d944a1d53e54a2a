#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "devices/net/spare.h"
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
///
/// A tap of several queues makes as many pairs of queues in the guest, of which its driver uses as many as it
/// says. All are served by the one loop, as all devices are: they share the device lock and one interrupt, so
/// that a thread for each would wait for the others'. The tap keeps all its queues, for to take one off it is
/// a call that the jail does not leave us: what comes by those beyond the pairs in use is spread over these.
class Net : public Device {
 public:
  static constexpr std::uint16_t kLeastMtu = 68;   ///< RFC 791
  static constexpr std::size_t kHeaderBytes = 12;  ///< before each packet, on both sides

  /// `taps` are the queues of one tap, from one to kMostNetQueues. Each gives and takes a packet at a time
  /// behind a header of kHeaderBytes, and never blocks: see prepare_tap(). `loop` outlives the device. Throws
  /// base::Error when they cannot be watched.
  Net(std::vector<base::UniqueFd> taps, const NetOptions& options, EventLoop& loop);
  ~Net() override;

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kNet; }
  [[nodiscard]] std::string name() const override { return "net"; }
  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] unsigned queue_count() const noexcept override;
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  void activate() noexcept override;
  void notify(unsigned queue) noexcept override;
  void reset() noexcept override;

 private:
  static constexpr std::size_t kEthernetBytes = 18;  ///< with a VLAN's tag
  static constexpr std::size_t kMostSegmented = 65535;
  static constexpr std::size_t kMostPacket = kHeaderBytes + kEthernetBytes + kMostSegmented;

  // Queues come in pairs, and behind them there may be the one for commands. Source: virtio 1.2 §5.1.2.
  static constexpr unsigned kPair = 2;
  static constexpr unsigned receive_queue(unsigned pair) { return pair * kPair; }
  static constexpr unsigned transmit_queue(unsigned pair) { return (pair * kPair) + 1; }

  /// A queue of the tap.
  struct Tap {
    base::UniqueFd fd;
    /// Takes the end of a packet for which there is too little room, and then the whole of it until there is.
    std::unique_ptr<std::byte[]> overflow;
    std::size_t pending = 0;  ///< bytes of a packet in `overflow`
    std::uint32_t interest = 0;
    bool starved = false;  ///< no buffer to receive into: what it has waits
    bool full = false;     ///< what the guest sends waits
  };
  /// From a queue of the tap to the guest's receive queue that gets what comes by it.
  struct Way {
    Tap& tap;
    Queue& queue;
    Spare& spare;
  };
  /// What the limit is of: all pairs together, one way.
  struct Direction {
    Throttle throttle;
    bool held = false;   ///< nothing may pass now
    unsigned first = 0;  ///< who goes first when something may again
  };

  void tap_event(unsigned tap, std::uint32_t events) noexcept;
  void receive(unsigned tap) noexcept;
  void transmit(unsigned pair) noexcept;
  /// One packet to the guest. False: none is there, or no place for it, or it may not pass.
  bool receive_one(const Way& way) noexcept;
  /// Gives the packet that did not fit when it was read. False: it still does not.
  bool give_pending(const Way& way) noexcept;
  /// False: the driver broke a rule.
  bool gather(const Way& way, std::size_t bytes) noexcept;
  /// One packet to the tap. False: it takes none now.
  bool send(const Tap& tap, const Chain& packet) noexcept;
  void serve_commands() noexcept;
  /// One command's answer, and what it asks for.
  std::uint8_t obey(const Chain& command) noexcept;
  /// Serves every pair, after something else than its own queues held it up.
  void serve_all_pairs() noexcept;
  static void hold(Direction& direction, unsigned index, bool has_moved) noexcept;
  void go_on(Direction& direction, void (Net::*serve)(unsigned) noexcept) noexcept;
  void update_interest() noexcept;
  void lose_link(int error) noexcept;

  EventLoop& loop_;
  std::vector<Tap> taps_;
  std::vector<Spare> spares_;         ///< of each receive queue
  unsigned pairs_ = 1;                ///< that the driver uses
  std::optional<unsigned> commands_;  ///< the queue that it gives commands by
  std::uint16_t mtu_;
  std::array<std::byte, 12> config_{};
  std::vector<iovec> parts_;
  std::size_t most_bytes_ = 0;  ///< of a packet with its header, by what was agreed on
  bool merges_ = false;         ///< a packet may take several buffers
  bool takes_pairs_ = false;    ///< the driver knows of more than one
  bool active_ = false;
  bool lost_ = false;
  Direction to_guest_, from_guest_;
};

}  // namespace trine::hvm
