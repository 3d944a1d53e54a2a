#include "base/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"

namespace trine::base {
namespace {

/// A message of some bytes with room for one descriptor.
struct Envelope {
  explicit Envelope(std::span<char> bytes) : part{bytes.data(), bytes.size()} {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  iovec part;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
};

}  // namespace

UniqueFd connect_unix(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket)
    throw_errno("cannot make a socket");
  // The address has room for 107 bytes; a descriptor's own path always fits.
  const UniqueFd place = open_file(path, O_PATH);
  const std::string address_text = fd_path(place.get());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, address_text.c_str(), address_text.size() + 1);
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR)
      throw_errno("cannot connect to the socket " + path);
  }
  return socket;
}

bool try_send_descriptor(int socket, int fd, std::string_view text, int flags) noexcept {
  Envelope envelope({const_cast<char*>(text.data()), text.size()});
  cmsghdr* entry = CMSG_FIRSTHDR(&envelope.message);
  entry->cmsg_level = SOL_SOCKET;
  entry->cmsg_type = SCM_RIGHTS;
  entry->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(entry), &fd, sizeof fd);
  return ::sendmsg(socket, &envelope.message, flags | MSG_NOSIGNAL) >= 0;
}

Received receive_with_descriptor(int socket, std::span<char> bytes, int flags) noexcept {
  Envelope envelope(bytes);
  Received received;
  do {
    received.size = ::recvmsg(socket, &envelope.message, flags | MSG_CMSG_CLOEXEC);
  } while (received.size < 0 && errno == EINTR);
  const cmsghdr* entry = received.size > 0 ? CMSG_FIRSTHDR(&envelope.message) : nullptr;
  if (entry != nullptr && entry->cmsg_type == SCM_RIGHTS && entry->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(entry), sizeof fd);
    received.descriptor.reset(fd);
  }
  return received;
}

void send_descriptor(int socket, int fd, std::string_view text, const std::string& receiver) {
  while (!try_send_descriptor(socket, fd, text, 0)) {
    if (errno != EINTR)
      throw_errno("cannot send a descriptor to " + receiver);
  }
}

}  // namespace trine::base
