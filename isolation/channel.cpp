#include "channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace trine::isolation {
namespace {

constexpr std::size_t kMaxText = 4096;

/// The fixed part of a message; the texts follow. Both ends are the same program, so the layout is the
/// compiler's, but lengths are checked all the same: the child may be under a hostile program's influence.
struct Header {
  MessageKind kind{};
  bool exec = false;
  bool not_found = false;
  std::int32_t errno_value = 0;
  std::uint32_t message_length = 0;
  std::uint32_t hint_length = 0;
};

union FdBuffer {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

bool send_message(int socket, const Header& header, const Failure* failure, int fd) {
  Header copy = header;
  std::array<iovec, 3> parts{iovec{&copy, sizeof copy}, iovec{}, iovec{}};
  if (failure != nullptr) {
    copy.message_length = static_cast<std::uint32_t>(std::min(failure->message.size(), kMaxText));
    copy.hint_length = static_cast<std::uint32_t>(std::min(failure->hint.size(), kMaxText));
    parts[1] = {const_cast<char*>(failure->message.data()), copy.message_length};
    parts[2] = {const_cast<char*>(failure->hint.data()), copy.hint_length};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  FdBuffer control{};
  if (fd >= 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    cmsghdr* entry = CMSG_FIRSTHDR(&message);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(entry), &fd, sizeof fd);
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR)
      return false;
  }
  return true;
}

}  // namespace

void Channel::send(MessageKind kind, int fd) const {
  if (!send_message(socket_.get(), {.kind = kind}, nullptr, fd)) {
    base::throw_errno("cannot reach the container's first process");
  }
}

void Channel::send_failure(const Failure& failure) const noexcept {
  const Header header{.kind = MessageKind::kError,
                      .exec = failure.exec,
                      .not_found = failure.not_found,
                      .errno_value = failure.errno_value};
  send_message(socket_.get(), header, &failure, -1);
}

std::optional<Message> Channel::receive() const {
  Header header;
  std::array<char, 2 * kMaxText> text{};
  std::array<iovec, 2> parts{iovec{&header, sizeof header}, iovec{text.data(), text.size()}};
  FdBuffer control{};
  msghdr raw{};
  raw.msg_iov = parts.data();
  raw.msg_iovlen = parts.size();
  raw.msg_control = control.bytes.data();
  raw.msg_controllen = control.bytes.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket_.get(), &raw, MSG_CMSG_CLOEXEC);
    // A peer that ended with messages unread resets the connection. That is told once, and before what the
    // peer has said last, which is still there to be read.
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got == 0)
    return std::nullopt;
  if (got < 0)
    base::throw_errno("cannot hear from the container's first process");

  Message message;
  if (const cmsghdr* entry = CMSG_FIRSTHDR(&raw);
      entry != nullptr && entry->cmsg_type == SCM_RIGHTS && entry->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(entry), sizeof fd);
    message.fd.reset(fd);
  }
  const auto size = static_cast<std::size_t>(got);
  if (size < sizeof header || header.message_length > kMaxText || header.hint_length > kMaxText ||
      size != sizeof header + header.message_length + header.hint_length) {
    throw base::Error("cannot start the container: its first process sent a malformed message");
  }
  message.kind = header.kind;
  message.failure = {.message = std::string(text.data(), header.message_length),
                     .hint = std::string(text.data() + header.message_length, header.hint_length),
                     .errno_value = header.errno_value,
                     .exec = header.exec,
                     .not_found = header.not_found};
  return message;
}

ChannelPair make_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    base::throw_errno("cannot make a socket pair");
  }
  return {Channel(base::UniqueFd(ends[0])), Channel(base::UniqueFd(ends[1]))};
}

}  // namespace trine::isolation
