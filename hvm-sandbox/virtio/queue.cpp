#include "virtio/queue.h"

#include <array>
#include <atomic>
#include <bit>
#include <utility>

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §2.7.5, §2.7.6, §2.7.7, §2.7.8, §2.7.10.
constexpr std::uint16_t kDescriptorNext = 1;
constexpr std::uint16_t kDescriptorWrite = 2;
constexpr std::uint16_t kDescriptorIndirect = 4;
constexpr std::uint16_t kAvailableNoInterrupt = 1;
constexpr std::size_t kDescriptorBytes = 16;
constexpr std::size_t kRingHeader = 4;  ///< flags and index
constexpr std::size_t kAvailableEntry = 2;
constexpr std::size_t kUsedEntry = 8;
constexpr std::size_t kEventBytes = 2;

struct UsedElement {
  std::uint32_t id;
  std::uint32_t length;
};

}  // namespace

struct Queue::Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};

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
  static_assert(sizeof(Descriptor) == kDescriptorBytes);
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
  queue.indirect_ = layout.indirect;
  queue.event_index_ = layout.event_index;
  return queue;
}

std::expected<void, QueueError> Queue::add_buffer(const Descriptor& descriptor, Chain& chain) const {
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
  return {};
}

std::expected<Queue::Table, QueueError> Queue::open_table(const Descriptor& descriptor,
                                                          const Table& within) const {
  // One that is in one, or that something follows, is forbidden (§2.7.5.3.1).
  if (!indirect_ || within.is_own || (descriptor.flags & kDescriptorNext) != 0)
    return std::unexpected(QueueError::kFlags);
  if (descriptor.length == 0 || descriptor.length % kDescriptorBytes != 0)
    return std::unexpected(QueueError::kDescriptor);
  const auto slice = memory_->slice(descriptor.address, descriptor.length);
  if (!slice)
    return std::unexpected(QueueError::kAddress);
  return Table{.descriptors = *slice,
               .entries = static_cast<std::uint32_t>(descriptor.length / kDescriptorBytes),
               .is_own = true};
}

std::uint16_t Queue::count_waiting() noexcept {
  const auto count = [this] {
    return static_cast<std::uint16_t>(available_.load_acquire(2) - next_available_);
  };
  const std::uint16_t waiting = count();
  if (waiting != 0 || !event_index_)
    return waiting;
  // The driver adds a chain and then looks whether we asked; we ask and then look whether it added one.
  used_.store_release(kRingHeader + (size_ * kUsedEntry), next_available_);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return count();
}

std::expected<bool, QueueError> Queue::pop(Chain& chain) {
  const std::uint16_t waiting = count_waiting();
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
  Table table{.descriptors = descriptors_, .entries = size_};
  // A chain that visits more descriptors than there are visits one twice; one in a table of its own is bound
  // by the queue's size as well.
  for (std::uint32_t length = 0;;) {
    if (index >= table.entries)
      return std::unexpected(QueueError::kDescriptor);
    const auto descriptor = table.descriptors.load<Descriptor>(index * kDescriptorBytes);
    if ((descriptor.flags & kDescriptorIndirect) != 0) {
      const auto own = open_table(descriptor, table);
      if (!own)
        return std::unexpected(own.error());
      table = *own;
      index = 0;
      continue;
    }
    if (length++ == size_)
      return std::unexpected(QueueError::kLoop);
    if (const auto added = add_buffer(descriptor, chain); !added)
      return std::unexpected(added.error());
    if ((descriptor.flags & kDescriptorNext) == 0)
      break;
    index = descriptor.next;
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

bool Queue::wants_interrupt() noexcept {
  // The driver says what it wants and then looks at the used index; we wrote the index and now look at what
  // it wants. Without a full fence both may miss the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint16_t told = std::exchange(told_used_, next_used_);
  if (!event_index_)
    return (available_.load<std::uint16_t>(0) & kAvailableNoInterrupt) == 0;
  // Whether the index that it waits for is among those that were written since (§2.7.7.2).
  const std::uint16_t event = available_.load_acquire(kRingHeader + (size_ * kAvailableEntry));
  return static_cast<std::uint16_t>(next_used_ - event - 1) < static_cast<std::uint16_t>(next_used_ - told);
}

}  // namespace trine::hvm
