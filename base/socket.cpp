#include "base/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/// The address has room for 107 bytes; a path through a descriptor always fits.
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

std::pair<UniqueFd, UniqueFd> socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("cannot make a pair of sockets");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd connect_unix(const std::string& path, int type) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket)
    throw_errno("cannot make a socket");
  const UniqueFd place = open_file(path, O_PATH);
  const sockaddr_un address = address_of(fd_path(place.get()));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR)
      throw_errno("cannot connect to the socket " + path);
  }
  return socket;
}

UniqueFd listen_unix(const std::string& directory, const std::string& name, int type, int backlog) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const UniqueFd place = open_file(directory, O_PATH | O_DIRECTORY);
  const sockaddr_un address = address_of(fd_path(place.get()) + "/" + name);
  // Before it has a name: nobody else gets in between.
  if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    throw_errno("cannot make the socket " + directory + "/" + name);
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
