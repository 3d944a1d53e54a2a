#include "devices/net/spare.h"

#include <algorithm>
#include <cstdint>

#include "memory/io_vector.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kBufferCount = 10;  ///< where a packet's header says how many buffers it takes

}  // namespace

std::expected<void, QueueError> Spare::gather(Queue& queue, std::size_t bytes, bool several) noexcept {
  const std::size_t most = several ? chains_.size() : 1;
  while (bytes_ < bytes && count_ < most) {
    Chain& chain = chains_[place(count_)];
    const auto popped = queue.pop(chain);
    if (!popped)
      return std::unexpected(popped.error());
    if (!*popped)
      return {};
    if (chain.readable_bytes > 0)
      return std::unexpected(QueueError::kRequest);
    ++count_;
    bytes_ += chain.writable_bytes;
    slices_ += chain.writable.size();
  }
  return {};
}

std::size_t Spare::add_places(std::vector<iovec>& parts, std::size_t most) const {
  std::size_t room = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const Chain& chain = chains_[place(i)];
    if (parts.size() + chain.writable.size() > most)
      break;
    append_io_vector(chain.writable, 0, chain.writable_bytes, parts);
    room += chain.writable_bytes;
  }
  return room;
}

void Spare::fill(std::span<const std::byte> packet) const noexcept {
  for (std::size_t i = 0; !packet.empty() && i < count_; ++i)
    packet = packet.subspan(chains_[place(i)].write(0, packet));
}

void Spare::give(Queue& queue, std::size_t length) noexcept {
  // The count of buffers stands in the first of them, and none is seen before all are there.
  std::uint16_t buffers = 0;
  const Chain& first = chains_[first_];
  for (std::size_t left = length; left > 0 && count_ > 0; ++buffers) {
    const Chain& chain = chains_[first_];
    const std::size_t filled = std::min(left, chain.writable_bytes);
    queue.place(chain, static_cast<std::uint32_t>(filled));
    left -= filled;
    --count_;
    bytes_ -= chain.writable_bytes;
    slices_ -= chain.writable.size();
    first_ = place(1);
  }
  first.write(kBufferCount, std::as_bytes(std::span(&buffers, 1)));
  queue.publish();
}

}  // namespace trine::hvm
