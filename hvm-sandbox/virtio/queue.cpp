#include "virtio/queue.h"

#include <array>
#include <atomic>
#include <bit>

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §2.7.5, §2.7.6, §2.7.8.
constexpr std::uint16_t kDescriptorNext = 1;
constexpr std::uint16_t kDescriptorWrite = 2;
constexpr std::uint16_t kAvailableNoInterrupt = 1;
constexpr std::size_t kDescriptorBytes = 16;
constexpr std::size_t kRingHeader = 4;  ///< flags and index
constexpr std::size_t kAvailableEntry = 2;
constexpr std::size_t kUsedEntry = 8;
constexpr std::size_t kEventBytes = 2;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};
static_assert(sizeof(Descriptor) == kDescriptorBytes);

struct UsedElement {
  std::uint32_t id;
  std::uint32_t length;
};

}  // namespace

std::string_view text_of(QueueError error) {
  constexpr std::array<std::string_view, 10> kTexts{
      "a queue of an impossible size",
      "a queue that is not aligned",
      "an address that is not memory",
      "more requests than the queue holds",
      "a descriptor beyond the table",
      "a chain of descriptors without end",
      "a buffer to read behind one to write",
      "descriptor flags that were not agreed on",
      "an empty buffer",
      "a request that is none",
  };
  return kTexts[static_cast<std::size_t>(error)];
}

std::size_t Chain::read(std::size_t offset, std::span<std::byte> out) const noexcept {
  std::size_t done = 0;
  for (const GuestSlice& slice : readable) {
    if (done == out.size())
      break;
    if (offset >= slice.size()) {
      offset -= slice.size();
      continue;
    }
    done += slice.read(offset, out.subspan(done));
    offset = 0;
  }
  return done;
}

std::size_t Chain::write(std::size_t offset, std::span<const std::byte> in) const noexcept {
  std::size_t done = 0;
  for (const GuestSlice& slice : writable) {
    if (done == in.size())
      break;
    if (offset >= slice.size()) {
      offset -= slice.size();
      continue;
    }
    done += slice.write(offset, in.subspan(done));
    offset = 0;
  }
  return done;
}

std::expected<Queue, QueueError> Queue::make(const GuestMemory& memory, const QueueLayout& layout,
                                             std::uint16_t most_entries) noexcept {
  if (!std::has_single_bit(layout.size) || layout.size > most_entries)
    return std::unexpected(QueueError::kSize);
  if (layout.descriptors % 16 != 0 || layout.available % 2 != 0 || layout.used % 4 != 0)
    return std::unexpected(QueueError::kAlignment);
  const std::size_t size = layout.size;
  const auto descriptors = memory.slice(layout.descriptors, size * kDescriptorBytes);
  const auto available = memory.slice(layout.available, kRingHeader + (size * kAvailableEntry) + kEventBytes);
  const auto used = memory.slice(layout.used, kRingHeader + (size * kUsedEntry) + kEventBytes);
  if (!descriptors || !available || !used)
    return std::unexpected(QueueError::kAddress);
  Queue queue;
  queue.memory_ = &memory;
  queue.descriptors_ = *descriptors;
  queue.available_ = *available;
  queue.used_ = *used;
  queue.size_ = layout.size;
  return queue;
}

std::expected<void, QueueError> Queue::add_buffer(std::uint16_t index, Chain& chain, std::uint16_t& next,
                                                  bool& more) {
  const auto descriptor = descriptors_.load<Descriptor>(index * kDescriptorBytes);
  if ((descriptor.flags & ~(kDescriptorNext | kDescriptorWrite)) != 0)
    return std::unexpected(QueueError::kFlags);
  if (descriptor.length == 0)
    return std::unexpected(QueueError::kEmptyBuffer);
  const bool is_written = (descriptor.flags & kDescriptorWrite) != 0;
  const auto slice = is_written ? memory_->slice(descriptor.address, descriptor.length)
                                : memory_->readable_slice(descriptor.address, descriptor.length);
  if (!slice)
    return std::unexpected(QueueError::kAddress);
  if (is_written) {
    chain.writable.push_back(*slice);
    chain.writable_bytes += slice->size();
  } else if (!chain.writable.empty()) {
    return std::unexpected(QueueError::kOrder);
  } else {
    chain.readable.push_back(*slice);
    chain.readable_bytes += slice->size();
  }
  more = (descriptor.flags & kDescriptorNext) != 0;
  next = descriptor.next;
  return {};
}

std::expected<bool, QueueError> Queue::pop(Chain& chain) {
  const std::uint16_t announced = available_.load_acquire(2);
  const auto waiting = static_cast<std::uint16_t>(announced - next_available_);
  if (waiting == 0)
    return false;
  if (waiting > size_)
    return std::unexpected(QueueError::kAvailableIndex);
  const std::size_t slot = next_available_ & (size_ - 1U);
  auto index = available_.load<std::uint16_t>(kRingHeader + (slot * kAvailableEntry));
  chain.readable.clear();
  chain.writable.clear();
  chain.readable_bytes = chain.writable_bytes = 0;
  chain.head = index;
  bool more = true;
  // A chain that visits more descriptors than there are visits one twice.
  for (std::uint32_t length = 0; more; ++length) {
    if (index >= size_)
      return std::unexpected(QueueError::kDescriptor);
    if (length == size_)
      return std::unexpected(QueueError::kLoop);
    if (const auto added = add_buffer(index, chain, index, more); !added)
      return std::unexpected(added.error());
  }
  ++next_available_;
  return true;
}

void Queue::place(const Chain& chain, std::uint32_t written) noexcept {
  const std::size_t slot = next_used_ & (size_ - 1U);
  used_.store(kRingHeader + (slot * kUsedEntry), UsedElement{chain.head, written});
  ++next_used_;
}

void Queue::publish() noexcept {
  used_.store_release(2, next_used_);
}

bool Queue::wants_interrupt() const noexcept {
  // The driver clears the flag and then looks at the used index; we wrote the index and now look at the flag.
  // Without a full fence both may miss the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return (available_.load<std::uint16_t>(0) & kAvailableNoInterrupt) == 0;
}

}  // namespace trine::hvm
