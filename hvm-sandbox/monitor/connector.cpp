#include "monitor/connector.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstring>

namespace trine::hvm {
namespace {

/// Without waiting: a caller that does not listen does not hold up the guest's other devices.
bool send_socket(int channel, int socket, std::uint32_t port) noexcept {
  std::array<char, 16> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), port).ptr;
  iovec part{.iov_base = text.data(), .iov_len = static_cast<std::size_t>(end - text.data())};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof socket);
  std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
  return ::sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

}  // namespace

Vsock::Connect make_connector(int channel) {
  return [channel](std::uint32_t port) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
      return base::UniqueFd();
    base::UniqueFd ours(pair[0]);
    const base::UniqueFd theirs(pair[1]);
    if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0 || !send_socket(channel, theirs.get(), port))
      return base::UniqueFd();
    return ours;
  };
}

}  // namespace trine::hvm
