#include "devices/vsock/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace trine::hvm {

VsockConnection::VsockConnection(base::UniqueFd socket, std::uint32_t peer_buffer_size)
    : socket_(std::move(socket)), peer_buffer_size_(peer_buffer_size) {}

void VsockConnection::update_credit(std::uint32_t buffer_size, std::uint32_t forwarded) noexcept {
  peer_buffer_size_ = buffer_size;
  peer_forwarded_ = forwarded;
}

std::uint32_t VsockConnection::credit() const noexcept {
  // A guest that says it forwarded more than it got, or that shrinks its buffer, has no credit.
  const std::uint32_t on_the_way = sent_ - peer_forwarded_;
  return on_the_way >= peer_buffer_size_ ? 0 : peer_buffer_size_ - on_the_way;
}

std::span<std::byte> VsockConnection::reserve(std::uint32_t count) {
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  if (count > kBufferBytes - buffer_.size())
    return {};
  const std::size_t end = buffer_.size();
  buffer_.resize(end + count);
  return std::span(buffer_).subspan(end);
}

bool VsockConnection::flush() noexcept {
  while (!is_flushed()) {
    const ssize_t written =
        ::send(socket_.get(), buffer_.data() + begin_, buffer_.size() - begin_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errno == EAGAIN;
    begin_ += static_cast<std::size_t>(written);
    forwarded_ += static_cast<std::uint32_t>(written);
  }
  buffer_.clear();
  begin_ = 0;
  return true;
}

}  // namespace trine::hvm
