#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "devices/net/net.h"
#include "memory/io_vector.h"

/// How packets go between the guest's queues and the tap's.
namespace trine::hvm {
namespace {

/// A turn of the loop: others want one too.
constexpr unsigned kMostPackets = 64;
/// What one readv may be given, beside the place for what does not fit.
constexpr std::size_t kMostParts = 1000;

}  // namespace

// To the guest.

bool Net::gather(const Way& way, std::size_t bytes) noexcept {
  const auto gathered = way.spare.gather(way.queue, bytes, merges_);
  if (!gathered)
    host().fail(gathered.error());
  return gathered.has_value();
}

bool Net::give_pending(const Way& way) noexcept {
  Tap& tap = way.tap;
  if (!gather(way, tap.pending))
    return false;
  if (way.spare.bytes() < tap.pending) {
    // A packet for which the whole ring has no room is dropped: waiting would be for ever.
    const bool hopeless = way.spare.slices() >= way.queue.size() || (way.spare.count() > 0 && !merges_);
    tap.pending = hopeless ? 0 : tap.pending;
    tap.starved = !hopeless;
    return hopeless;
  }
  const std::size_t length = std::exchange(tap.pending, 0);
  way.spare.fill(std::span(tap.overflow.get(), length));
  way.spare.give(way.queue, length);
  return true;
}

bool Net::receive_one(const Way& way) noexcept {
  Tap& tap = way.tap;
  if (tap.pending > 0)
    return give_pending(way);
  if (!gather(way, most_bytes_))
    return false;
  if (way.spare.count() == 0) {
    tap.starved = true;
    return false;
  }
  to_guest_.held = !to_guest_.throttle.may_do(1);
  if (to_guest_.held)
    return false;
  parts_.clear();
  const std::size_t room = way.spare.add_places(parts_, kMostParts);
  const auto guest_parts = parts_.size();
  std::byte* const overflow = tap.overflow.get();
  parts_.push_back({.iov_base = overflow, .iov_len = kMostPacket});
  const ssize_t got = ::readv(tap.fd.get(), parts_.data(), static_cast<int>(parts_.size()));
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOMEM))
      lose_link(got == 0 ? EBADFD : errno);
    return false;
  }
  const auto length = static_cast<std::size_t>(got);
  to_guest_.throttle.done(length - std::min(length, kHeaderBytes));
  if (length <= room) {
    way.spare.give(way.queue, length);
    return true;
  }
  if (length > kMostPacket)
    return true;  // longer than any packet may be
  std::memmove(overflow + room, overflow, length - room);
  for (std::size_t i = 0, at = 0; i < guest_parts; at += parts_[i].iov_len, ++i)
    std::memcpy(overflow + at, parts_[i].iov_base, parts_[i].iov_len);
  tap.pending = length;
  return true;
}

void Net::receive(unsigned index) noexcept {
  if (to_guest_.held)
    return;
  const unsigned pair = index % pairs_;
  Queue* const queue = host().queue(receive_queue(pair));
  Tap& tap = taps_[index];
  if (queue == nullptr || lost_) {
    tap.starved = true;
    update_interest();
    return;
  }
  const Way way{.tap = tap, .queue = *queue, .spare = spares_[pair]};
  bool any = false;
  for (unsigned count = 0; count < kMostPackets && !to_guest_.held && receive_one(way); ++count)
    any = true;
  if (to_guest_.held)
    hold(to_guest_, index, any);
  if (any)
    host().interrupt(*queue);
  update_interest();
}

// From the guest.

bool Net::send(const Tap& tap, const Chain& packet) noexcept {
  if (lost_)
    return true;
  parts_.clear();
  append_io_vector(packet.readable, 0, packet.readable_bytes, parts_);
  while (::writev(tap.fd.get(), parts_.data(), static_cast<int>(parts_.size())) < 0) {
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

void Net::transmit(unsigned pair) noexcept {
  if (pair >= pairs_ || from_guest_.held)
    return;
  Queue* const queue = host().queue(transmit_queue(pair));
  Tap& tap = taps_[pair];
  if (queue == nullptr || tap.full)
    return;
  bool any = false;
  // At most one ring's worth, as serve_all() does.
  for (unsigned left = queue->size();; --left) {
    if (left == 0) {
      host().serve_again(transmit_queue(pair));
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
    const bool may_go = from_guest_.throttle.may_do(bytes);
    tap.full = may_go && !send(tap, chain());
    if (!may_go)
      hold(from_guest_, pair, any);
    if (!may_go || tap.full) {
      queue->unpop();
      break;
    }
    from_guest_.throttle.done(bytes);
    queue->complete(chain(), 0);
    any = true;
  }
  if (any)
    host().interrupt(*queue);
  update_interest();
}

}  // namespace trine::hvm
