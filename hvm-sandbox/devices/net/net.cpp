#include "devices/net/net.h"

#include <linux/if_tun.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "devices/net/control.h"

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §5.1.3. What one side can do that the other then need not.
enum Feature : unsigned {
  kCsum = 0,
  kGuestCsum = 1,
  kMtu = 3,
  kMac = 5,
  kGuestTso4 = 7,
  kGuestTso6 = 8,
  kGuestEcn = 9,
  kHostTso4 = 11,
  kHostTso6 = 12,
  kHostEcn = 13,
  kMrgRxbuf = 15,
  kStatus = 16,
  kCommands = 17,
  kMultiQueue = 22,
};

constexpr std::uint64_t bit(unsigned number) {
  return 1ULL << number;
}

/// What the tap may leave undone in what it gives, by what the driver said that it can do itself.
struct Offload {
  unsigned feature;
  unsigned tap_flag;
};
constexpr std::array kOffloads{
    Offload{kGuestCsum, TUN_F_CSUM},
    Offload{kGuestTso4, TUN_F_TSO4},
    Offload{kGuestTso6, TUN_F_TSO6},
    Offload{kGuestEcn, TUN_F_TSO_ECN},
};
constexpr std::uint64_t kFeatures = bit(kCsum) | bit(kGuestCsum) | bit(kMtu) | bit(kMac) | bit(kGuestTso4) |
                                    bit(kGuestTso6) | bit(kGuestEcn) | bit(kHostTso4) | bit(kHostTso6) |
                                    bit(kHostEcn) | bit(kMrgRxbuf) | bit(kStatus) | kFeatureIndirect |
                                    kFeatureEventIndex;
/// With several pairs.
constexpr std::uint64_t kPairFeatures = bit(kCommands) | bit(kMultiQueue);
constexpr std::uint64_t kSegmented = bit(kGuestTso4) | bit(kGuestTso6);

// Source: virtio 1.2 §5.1.4.
constexpr std::size_t kMacOffset = 0;
constexpr std::size_t kStatusOffset = 6;
constexpr std::size_t kMostPairsOffset = 8;
constexpr std::size_t kMtuOffset = 10;
constexpr std::uint16_t kLinkUp = 1;

}  // namespace

Net::Net(std::vector<base::UniqueFd> taps, const NetOptions& options, EventLoop& loop)
    : loop_(loop), mtu_(options.mtu) {
  std::memcpy(config_.data() + kMacOffset, options.mac.data(), options.mac.size());
  const std::uint16_t up = kLinkUp;
  std::memcpy(config_.data() + kStatusOffset, &up, sizeof up);
  if (const auto most = static_cast<std::uint16_t>(taps.size()); most > 1)
    std::memcpy(config_.data() + kMostPairsOffset, &most, sizeof most);
  std::memcpy(config_.data() + kMtuOffset, &mtu_, sizeof mtu_);
  for (base::UniqueFd& fd : taps) {
    const auto index = static_cast<unsigned>(taps_.size());
    // Not filled: it takes memory only where a packet does not fit.
    taps_.push_back(
        {.fd = std::move(fd), .overflow = std::make_unique_for_overwrite<std::byte[]>(kMostPacket)});
    spares_.emplace_back(kMostEntries);
    if (!loop_.watch(taps_.back().fd.get(), 0,
                     [this, index](std::uint32_t events) { tap_event(index, events); }))
      base::throw_errno("cannot watch the tap of the guest's network");
  }
  if (!options.limits.any())
    return;
  to_guest_.throttle.limit(loop_, options.limits, Net::name(), [this] { go_on(to_guest_, &Net::receive); });
  from_guest_.throttle.limit(loop_, options.limits, Net::name(),
                             [this] { go_on(from_guest_, &Net::transmit); });
}

Net::~Net() {
  if (lost_)
    return;
  for (const Tap& tap : taps_)
    loop_.unwatch(tap.fd.get());
}

std::uint64_t Net::features() const noexcept {
  return kFeatures | (taps_.size() > 1 ? kPairFeatures : 0);
}

unsigned Net::queue_count() const noexcept {
  const auto most = static_cast<unsigned>(taps_.size());
  return (most * kPair) + (most > 1 ? 1 : 0);
}

void Net::activate() noexcept {
  const std::uint64_t agreed = host().agreed();
  unsigned long offloads = 0;
  for (const Offload& offload : kOffloads) {
    if ((agreed & bit(offload.feature)) != 0)
      offloads |= offload.tap_flag;
  }
  // Without checksums there are no segments. A tap that does not know one does all of it itself, as it does
  // in the beginning. It is the same for all its queues.
  const int tap = taps_.front().fd.get();
  if ((offloads & TUN_F_CSUM) == 0 || ::ioctl(tap, TUNSETOFFLOAD, offloads) != 0)
    (void)::ioctl(tap, TUNSETOFFLOAD, 0UL);
  merges_ = (agreed & bit(kMrgRxbuf)) != 0;
  takes_pairs_ = (agreed & bit(kMultiQueue)) != 0;
  // For a driver that takes one pair alone they stand behind that one.
  commands_.reset();
  if ((agreed & bit(kCommands)) != 0)
    commands_ = takes_pairs_ ? queue_count() - 1 : kPair;
  most_bytes_ =
      kHeaderBytes + kEthernetBytes + ((agreed & kSegmented) != 0 ? kMostSegmented : std::size_t{mtu_});
  active_ = true;
  update_interest();
}

void Net::reset() noexcept {
  active_ = false;
  pairs_ = 1;
  for (Tap& tap : taps_) {
    tap.starved = tap.full = false;
    tap.pending = 0;
  }
  for (Spare& spare : spares_)
    spare.forget();
  to_guest_.held = from_guest_.held = false;
  update_interest();
}

void Net::notify(unsigned index) noexcept {
  if (index == commands_) {
    serve_commands();
    return;
  }
  const unsigned pair = index / kPair;
  if (pair >= pairs_)
    return;  // the driver has not said that it uses it
  if (index == transmit_queue(pair)) {
    transmit(pair);
    return;
  }
  for (unsigned tap = pair; tap < taps_.size(); tap += pairs_) {
    if (std::exchange(taps_[tap].starved, false))
      receive(tap);
  }
}

void Net::tap_event(unsigned index, std::uint32_t events) noexcept {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    lose_link(EBADFD);
  else if ((events & EPOLLIN) != 0)
    receive(index);
  if ((events & EPOLLOUT) != 0) {
    taps_[index].full = false;
    transmit(index);
  }
  update_interest();
}

void Net::update_interest() noexcept {
  if (lost_)
    return;
  for (Tap& tap : taps_) {
    std::uint32_t wanted = 0;
    if (active_ && !tap.starved && !to_guest_.held)
      wanted |= EPOLLIN;
    if (active_ && tap.full)
      wanted |= EPOLLOUT;
    if (std::exchange(tap.interest, wanted) != wanted)
      loop_.change(tap.fd.get(), wanted);
  }
}

void Net::lose_link(int error) noexcept {
  if (std::exchange(lost_, true))
    return;
  base::print_warning("the tap of the guest's network is gone (" + base::errno_text(error) +
                      "): the guest goes on without a link");
  std::memset(config_.data() + kStatusOffset, 0, sizeof(std::uint16_t));
  for (unsigned index = 0; index < taps_.size(); ++index) {
    loop_.unwatch(taps_[index].fd.get());
    // What waited for the tap is dropped.
    if (std::exchange(taps_[index].full, false))
      host().serve_again(transmit_queue(index));
  }
  host().config_changed();
}

// Limits. Who is served is who has waited: when it moved something, the next one is first.

void Net::hold(Direction& direction, unsigned index, bool has_moved) noexcept {
  direction.held = true;
  direction.first = has_moved ? index + 1 : index;
}

void Net::go_on(Direction& direction, void (Net::*serve)(unsigned) noexcept) noexcept {
  direction.held = false;
  const auto count = static_cast<unsigned>(taps_.size());
  const unsigned first = direction.first;
  for (unsigned i = 0; i < count && !direction.held; ++i)
    (this->*serve)((first + i) % count);
  update_interest();
}

// Commands.

void Net::serve_commands() noexcept {
  const unsigned before = pairs_;
  serve_all(*commands_, [this](const Chain& command) -> std::expected<std::uint32_t, QueueError> {
    if (command.writable_bytes == 0)
      return std::unexpected(QueueError::kRequest);
    const std::uint8_t answer = obey(command);
    command.write(0, std::as_bytes(std::span(&answer, 1)));
    return sizeof answer;
  });
  if (pairs_ != before)
    serve_all_pairs();
}

std::uint8_t Net::obey(const Chain& command) noexcept {
  const auto wanted = pairs_set_by(command);
  if (!wanted || *wanted == 0 || *wanted > taps_.size() || !takes_pairs_)
    return kControlError;
  pairs_ = *wanted;
  return kControlOk;
}

void Net::serve_all_pairs() noexcept {
  for (unsigned index = 0; index < taps_.size(); ++index) {
    taps_[index].starved = false;
    receive(index);
    transmit(index);
  }
}

}  // namespace trine::hvm
