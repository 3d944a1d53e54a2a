#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "memory/guest_memory.h"

/// Split virtqueues, the device's side. Source: virtio 1.2 §2.7.
namespace trine::hvm {

/// What the driver wrote into the transport's registers before it made the queue ready.
struct QueueLayout {
  std::uint16_t size = 0;         ///< entries, a power of two
  std::uint64_t descriptors = 0;  ///< guest addresses
  std::uint64_t available = 0;
  std::uint64_t used = 0;
  bool indirect = false;     ///< agreed on: a chain may lie in a table of its own (VIRTIO_F_INDIRECT_DESC)
  bool event_index = false;  ///< agreed on: each side says when it wants to hear next (VIRTIO_F_EVENT_IDX)
};

/// How a driver broke the rules. The device stops and asks for a reset; nothing else happens.
enum class QueueError {
  kSize,            ///< no power of two, or larger than the device allows
  kAlignment,       ///< a part of the ring is not aligned as the specification asks
  kAddress,         ///< a part of the ring or a buffer is not in guest memory
  kAvailableIndex,  ///< more chains announced than the ring holds
  kDescriptor,      ///< a descriptor's number is beyond the table, or a table of its own is no table
  kLoop,            ///< a chain is longer than the table
  kOrder,           ///< a buffer for the device to read behind one to write
  kFlags,           ///< a descriptor's flags that were not negotiated
  kEmptyBuffer,     ///< a buffer of no bytes
  kRequest,         ///< a well-formed chain that is no request of this device
};

std::string_view text_of(QueueError error);

/// A chain of buffers of which every one was checked: the only form in which a device sees guest addresses.
struct Chain {
  std::uint16_t head = 0;
  std::vector<GuestSlice> readable;  ///< what the driver sends, in order
  std::vector<GuestSlice> writable;  ///< where the device answers, in order
  std::size_t readable_bytes = 0;
  std::size_t writable_bytes = 0;

  /// Copies out of the readable part, from `offset` on; returns how many bytes there were.
  std::size_t read(std::size_t offset, std::span<std::byte> out) const noexcept;
  /// Copies into the writable part.
  std::size_t write(std::size_t offset, std::span<const std::byte> in) const noexcept;
};

/// One queue, checked once when the driver makes it ready and frozen from then on.
class Queue {
 public:
  static std::expected<Queue, QueueError> make(const GuestMemory& memory, const QueueLayout& layout,
                                               std::uint16_t most_entries) noexcept;

  /// Takes the next chain that the driver made available: true when there was one, which is now in `chain`.
  /// `chain` is the caller's so that its vectors are allocated once. Only after false is the driver sure to
  /// notify of the next: who stops before that goes on by itself.
  std::expected<bool, QueueError> pop(Chain& chain);

  /// Puts the chain popped last back, to be popped again: the device has no room for it yet.
  void unpop() noexcept { --next_available_; }

  /// Gives a chain back with `written` bytes of its writable part filled.
  void complete(const Chain& chain, std::uint32_t written) noexcept {
    place(chain, written);
    publish();
  }
  /// The same in two steps, for chains that the driver must not see one without the other.
  void place(const Chain& chain, std::uint32_t written) noexcept;
  void publish() noexcept;

  /// Whether the driver wants to be interrupted for what was completed since this was asked last.
  [[nodiscard]] bool wants_interrupt() noexcept;

  [[nodiscard]] std::uint16_t size() const noexcept { return size_; }

 private:
  Queue() = default;
  /// The descriptors of a chain: the queue's table, or one of the chain's own.
  struct Table {
    GuestSlice descriptors;
    std::uint32_t entries = 0;
    bool is_own = false;
  };
  struct Descriptor;

  /// How many chains wait; when there is none, the driver is asked to notify of the next.
  std::uint16_t count_waiting() noexcept;
  std::expected<Table, QueueError> open_table(const Descriptor& descriptor, const Table& within) const;
  std::expected<void, QueueError> add_buffer(const Descriptor& descriptor, Chain& chain) const;

  const GuestMemory* memory_ = nullptr;
  GuestSlice descriptors_, available_, used_;
  std::uint16_t size_ = 0;
  std::uint16_t next_available_ = 0;
  std::uint16_t next_used_ = 0;
  std::uint16_t told_used_ = 0;  ///< `next_used_` when wants_interrupt() was asked last
  bool indirect_ = false;
  bool event_index_ = false;
};

}  // namespace trine::hvm
