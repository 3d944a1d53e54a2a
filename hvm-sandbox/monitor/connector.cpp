#include "monitor/connector.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "base/socket.h"

namespace trine::hvm {
namespace {

/// Without waiting: a caller that does not listen does not hold up the guest's other devices.
bool send_socket(int channel, int socket, std::uint32_t port) noexcept {
  std::array<char, 16> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), port).ptr;
  return base::try_send_descriptor(channel, socket,
                                   {text.data(), static_cast<std::size_t>(end - text.data())}, MSG_DONTWAIT);
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
