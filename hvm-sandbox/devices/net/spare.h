#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <expected>
#include <span>
#include <vector>

#include "virtio/queue.h"

namespace trine::hvm {

/// Empty buffers that a driver gave for packets to come, taken from its queue and not filled yet.
class Spare {
 public:
  /// `most`: buffers at a time.
  explicit Spare(std::size_t most) : chains_(most) {}

  /// Takes buffers until they hold `bytes`, or are all that there are. `several`: a packet may take more than
  /// one. Error: the driver broke a rule.
  std::expected<void, QueueError> gather(Queue& queue, std::size_t bytes, bool several) noexcept;
  /// Adds the places of the buffers, as many as fit into `parts` with `most` of them; returns their bytes.
  std::size_t add_places(std::vector<iovec>& parts, std::size_t most) const;
  /// Fills the first of them.
  void fill(std::span<const std::byte> packet) const noexcept;
  /// The first `length` bytes are a packet: they become the guest's.
  void give(Queue& queue, std::size_t length) noexcept;
  /// The driver let go of its queue.
  void forget() noexcept { first_ = count_ = bytes_ = slices_ = 0; }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }    ///< room in them
  [[nodiscard]] std::size_t slices() const noexcept { return slices_; }  ///< of the guest's ring

 private:
  [[nodiscard]] std::size_t place(std::size_t index) const noexcept {
    return (first_ + index) % chains_.size();
  }

  std::vector<Chain> chains_;  ///< a ring, of which `count_` from `first_` on are here
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::size_t slices_ = 0;
};

}  // namespace trine::hvm
