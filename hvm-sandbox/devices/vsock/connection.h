#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "devices/vsock/packet.h"

namespace trine::hvm {

struct VsockPorts {
  std::uint32_t guest = 0;
  std::uint32_t host = 0;
  auto operator<=>(const VsockPorts&) const = default;
};

/// One stream between the guest and a socket of the host, with the credit of both sides. It takes at most
/// kBufferBytes for what the socket does not take yet.
class VsockConnection {
 public:
  static constexpr std::uint32_t kBufferBytes = 256 << 10;

  /// `socket` does not block.
  VsockConnection(base::UniqueFd socket, std::uint32_t peer_buffer_size);

  [[nodiscard]] int socket() const noexcept { return socket_.get(); }

  /// The guest's word of its own buffer, which every packet brings.
  void update_credit(std::uint32_t buffer_size, std::uint32_t forwarded) noexcept;
  /// How many bytes the guest has room for.
  [[nodiscard]] std::uint32_t credit() const noexcept;
  /// `count` bytes went to the guest.
  void sent(std::uint32_t count) noexcept { sent_ += count; }

  /// Room for `count` bytes from the guest, to be filled by the caller; empty when the guest sends more than
  /// it was given credit for.
  [[nodiscard]] std::span<std::byte> reserve(std::uint32_t count);
  /// Writes to the socket what it takes; false when it is broken.
  [[nodiscard]] bool flush() noexcept;
  [[nodiscard]] bool is_flushed() const noexcept { return begin_ == buffer_.size(); }
  [[nodiscard]] std::uint32_t forwarded() const noexcept { return forwarded_; }
  /// Whether so much was forwarded that the guest should be told. `told()` notes that it was.
  [[nodiscard]] bool owes_credit() const noexcept { return forwarded_ - told_ >= kBufferBytes / 2; }
  void told() noexcept { told_ = forwarded_; }

  // What is to be sent to the guest before data.
  bool owes_response = true;
  bool owes_update = false;
  std::uint32_t owed_shutdown = 0;  ///< flags of a shutdown to be sent
  // What has happened.
  bool readable = false;             ///< the socket has data, or its end
  bool ended = false;                ///< the socket's end was read
  std::uint32_t guest_shutdown = 0;  ///< flags of the guest's shutdown
  bool write_side_closed = false;

 private:
  base::UniqueFd socket_;
  std::vector<std::byte> buffer_;  ///< from the guest, for the socket; what stands before begin_ is written
  std::size_t begin_ = 0;
  std::uint32_t peer_buffer_size_;
  std::uint32_t peer_forwarded_ = 0;
  std::uint32_t sent_ = 0;       ///< all counters wrap, as the specification has it
  std::uint32_t forwarded_ = 0;  ///< bytes that the socket took
  std::uint32_t told_ = 0;
};

}  // namespace trine::hvm
