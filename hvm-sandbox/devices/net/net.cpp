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
#include "memory/io_vector.h"

namespace trine::hvm {
namespace {

constexpr unsigned kReceive = 0;
constexpr unsigned kTransmit = 1;

/// A turn of the loop: others want one too.
constexpr unsigned kMostPackets = 64;
/// What one readv may be given, beside the place for what does not fit.
constexpr std::size_t kMostParts = 1000;
constexpr std::size_t kEthernetBytes = 18;  ///< with a VLAN's tag
constexpr std::size_t kMostSegmented = 65535;
constexpr std::size_t kBufferCount = 10;  ///< where the header says how many buffers a packet takes

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
constexpr std::uint64_t kSegmented = bit(kGuestTso4) | bit(kGuestTso6);

// Source: virtio 1.2 §5.1.4.
constexpr std::size_t kMacOffset = 0;
constexpr std::size_t kStatusOffset = 6;
constexpr std::size_t kMtuOffset = 10;
constexpr std::uint16_t kLinkUp = 1;

}  // namespace

Net::Net(base::UniqueFd tap, const NetOptions& options, EventLoop& loop)
    : loop_(loop), tap_(std::move(tap)), mtu_(options.mtu) {
  std::memcpy(config_.data() + kMacOffset, options.mac.data(), options.mac.size());
  const std::uint16_t up = kLinkUp;
  std::memcpy(config_.data() + kStatusOffset, &up, sizeof up);
  std::memcpy(config_.data() + kMtuOffset, &mtu_, sizeof mtu_);
  spare_.chains.resize(kMostEntries);
  overflow_.resize(kHeaderBytes + kEthernetBytes + kMostSegmented);
  if (!loop_.watch(tap_.get(), 0, [this](std::uint32_t events) { tap_event(events); }))
    base::throw_errno("cannot watch the tap of the guest's network");
  if (!options.limits.any())
    return;
  to_guest_.limit(loop_, options.limits, Net::name(), [this] {
    held_ = false;
    receive();
  });
  from_guest_.limit(loop_, options.limits, Net::name(), [this] { transmit(); });
}

Net::~Net() {
  if (!lost_)
    loop_.unwatch(tap_.get());
}

std::uint64_t Net::features() const noexcept {
  return kFeatures;
}

void Net::activate() noexcept {
  const std::uint64_t agreed = host().agreed();
  unsigned long offloads = 0;
  for (const Offload& offload : kOffloads) {
    if ((agreed & bit(offload.feature)) != 0)
      offloads |= offload.tap_flag;
  }
  // Without checksums there are no segments. A tap that does not know one does all of it itself, as it does
  // in the beginning.
  if ((offloads & TUN_F_CSUM) == 0 || ::ioctl(tap_.get(), TUNSETOFFLOAD, offloads) != 0)
    (void)::ioctl(tap_.get(), TUNSETOFFLOAD, 0UL);
  merges_ = (agreed & bit(kMrgRxbuf)) != 0;
  most_bytes_ =
      kHeaderBytes + kEthernetBytes + ((agreed & kSegmented) != 0 ? kMostSegmented : std::size_t{mtu_});
  active_ = true;
  update_interest();
}

void Net::reset() noexcept {
  active_ = starved_ = tap_full_ = held_ = false;
  pending_ = 0;
  spare_.first = spare_.count = spare_.bytes = spare_.slices = 0;
  update_interest();
}

void Net::notify(unsigned index) noexcept {
  if (index == kTransmit)
    transmit();
  if (index == kReceive && std::exchange(starved_, false))
    receive();
}

void Net::tap_event(std::uint32_t events) noexcept {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    lose_link(EBADFD);
  else if ((events & EPOLLIN) != 0)
    receive();
  if ((events & EPOLLOUT) != 0 || lost_) {
    tap_full_ = false;
    transmit();
  }
  update_interest();
}

void Net::update_interest() noexcept {
  if (lost_)
    return;
  const std::uint32_t wanted =
      active_ ? (starved_ || held_ ? 0U : EPOLLIN) | (tap_full_ ? static_cast<std::uint32_t>(EPOLLOUT) : 0U)
              : 0U;
  if (std::exchange(interest_, wanted) != wanted)
    loop_.change(tap_.get(), wanted);
}

void Net::lose_link(int error) noexcept {
  if (std::exchange(lost_, true))
    return;
  loop_.unwatch(tap_.get());
  base::print_warning("the tap of the guest's network is gone (" + base::errno_text(error) +
                      "): the guest goes on without a link");
  std::memset(config_.data() + kStatusOffset, 0, sizeof(std::uint16_t));
  tap_full_ = false;
  host().config_changed();
}

// To the guest.

Chain& Net::spare(std::size_t index) noexcept {
  return spare_.chains[(spare_.first + index) % spare_.chains.size()];
}

bool Net::gather(Queue& queue, std::size_t bytes) noexcept {
  while (spare_.bytes < bytes && spare_.count < most_chains()) {
    Chain& chain = spare(spare_.count);
    const auto popped = queue.pop(chain);
    if (!popped || (*popped && chain.readable_bytes > 0)) {
      host().fail(popped ? QueueError::kRequest : popped.error());
      return false;
    }
    if (!*popped)
      return true;
    ++spare_.count;
    spare_.bytes += chain.writable_bytes;
    spare_.slices += chain.writable.size();
  }
  return true;
}

void Net::give(Queue& queue, std::size_t length) noexcept {
  // The count of buffers stands in the first of them, and none is seen before all are there.
  std::uint16_t buffers = 0;
  const Chain& first = spare(0);
  for (std::size_t left = length; left > 0 && spare_.count > 0; ++buffers) {
    const Chain& chain = spare(0);
    const std::size_t filled = std::min(left, chain.writable_bytes);
    queue.place(chain, static_cast<std::uint32_t>(filled));
    left -= filled;
    --spare_.count;
    spare_.bytes -= chain.writable_bytes;
    spare_.slices -= chain.writable.size();
    spare_.first = (spare_.first + 1) % spare_.chains.size();
  }
  first.write(kBufferCount, std::as_bytes(std::span(&buffers, 1)));
  queue.publish();
}

bool Net::give_pending(Queue& queue) noexcept {
  if (!gather(queue, pending_))
    return false;
  if (spare_.bytes < pending_) {
    // A packet for which the whole ring has no room is dropped: waiting would be for ever.
    const bool hopeless = spare_.slices >= queue.size() || (spare_.count > 0 && !merges_);
    pending_ = hopeless ? 0 : pending_;
    starved_ = !hopeless;
    return hopeless;
  }
  std::size_t done = 0;
  for (std::size_t i = 0; done < pending_; ++i)
    done += spare(i).write(0, std::span(overflow_).subspan(done, pending_ - done));
  give(queue, std::exchange(pending_, 0));
  return true;
}

bool Net::receive_one(Queue& queue) noexcept {
  if (pending_ > 0)
    return give_pending(queue);
  if (!gather(queue, most_bytes_))
    return false;
  if (spare_.count == 0) {
    starved_ = true;
    return false;
  }
  if (!to_guest_.may_do(1)) {
    held_ = true;
    return false;
  }
  parts_.clear();
  std::size_t room = 0;
  for (std::size_t i = 0; i < spare_.count; ++i) {
    const Chain& chain = spare(i);
    if (parts_.size() + chain.writable.size() > kMostParts)
      break;
    append_io_vector(chain.writable, 0, chain.writable_bytes, parts_);
    room += chain.writable_bytes;
  }
  const auto guest_parts = parts_.size();
  parts_.push_back({.iov_base = overflow_.data(), .iov_len = overflow_.size()});
  const ssize_t got = ::readv(tap_.get(), parts_.data(), static_cast<int>(parts_.size()));
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOMEM))
      lose_link(got == 0 ? EBADFD : errno);
    return false;
  }
  const auto length = static_cast<std::size_t>(got);
  to_guest_.done(length - std::min(length, kHeaderBytes));
  if (length <= room) {
    give(queue, length);
    return true;
  }
  if (length > overflow_.size())
    return true;  // longer than any packet may be
  std::memmove(overflow_.data() + room, overflow_.data(), length - room);
  for (std::size_t i = 0, at = 0; i < guest_parts; at += parts_[i].iov_len, ++i)
    std::memcpy(overflow_.data() + at, parts_[i].iov_base, parts_[i].iov_len);
  pending_ = length;
  return true;
}

void Net::receive() noexcept {
  Queue* const queue = host().queue(kReceive);
  if (queue == nullptr || lost_) {
    starved_ = true;
    update_interest();
    return;
  }
  bool any = false;
  for (unsigned count = 0; count < kMostPackets && receive_one(*queue); ++count)
    any = true;
  if (any)
    host().interrupt(*queue);
  update_interest();
}

// From the guest.

bool Net::send(const Chain& packet) noexcept {
  if (lost_)
    return true;
  parts_.clear();
  append_io_vector(packet.readable, 0, packet.readable_bytes, parts_);
  while (::writev(tap_.get(), parts_.data(), static_cast<int>(parts_.size())) < 0) {
    if (errno == EAGAIN)
      return false;
    if (errno == EBADFD)
      lose_link(errno);
    // What the tap does not take (a header that makes no sense, an interface that is down) is lost, as on any
    // network.
    if (errno != EINTR)
      break;
  }
  return true;
}

void Net::transmit() noexcept {
  Queue* const queue = host().queue(kTransmit);
  if (queue == nullptr || tap_full_)
    return;
  bool any = false;
  // At most one ring's worth, as serve_all() does.
  for (unsigned left = queue->size();; --left) {
    if (left == 0) {
      host().serve_again(kTransmit);
      break;
    }
    const auto popped = queue->pop(chain());
    if (!popped || (*popped && (chain().readable_bytes < kHeaderBytes || chain().writable_bytes > 0))) {
      host().fail(popped ? QueueError::kRequest : popped.error());
      return;
    }
    if (!*popped)
      break;
    const std::size_t bytes = chain().readable_bytes - kHeaderBytes;
    const bool may_go = from_guest_.may_do(bytes);
    tap_full_ = may_go && !send(chain());
    if (!may_go || tap_full_) {
      queue->unpop();
      break;
    }
    from_guest_.done(bytes);
    queue->complete(chain(), 0);
    any = true;
  }
  if (any)
    host().interrupt(*queue);
  update_interest();
}

}  // namespace trine::hvm
