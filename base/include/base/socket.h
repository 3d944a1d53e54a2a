#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

namespace trine::base {

/// Two sockets that are connected to each other, of SOCK_STREAM or SOCK_SEQPACKET. Throws Error.
std::pair<UniqueFd, UniqueFd> socket_pair(int type);

/// Connects to a socket in the file system, of SOCK_STREAM or SOCK_SEQPACKET, whatever the length of its
/// path. Throws Error naming it.
UniqueFd connect_unix(const std::string& path, int type);

/// A listening socket `directory`/`name` that only its owner can connect to, and that does not block, with
/// room for `backlog` who wait. Throws Error naming it.
UniqueFd listen_unix(const std::string& directory, const std::string& name, int type, int backlog);

/// Sends a descriptor with `text` (at least one byte) once, with `flags` as for sendmsg(2), MSG_NOSIGNAL
/// added. False: it was not sent, and errno says why.
bool try_send_descriptor(int socket, int fd, std::string_view text, int flags) noexcept;

/// What recvmsg(2) gives, and the descriptor that came with it, if one did; it is closed on exec. A signal
/// does not end the wait.
struct Received {
  ssize_t size = -1;  ///< 0: the other end is closed; below: it failed
  UniqueFd descriptor;
};
Received receive_with_descriptor(int socket, std::span<char> bytes, int flags) noexcept;

/// Sends a descriptor with `text` (at least one byte). Throws Error naming `receiver`.
void send_descriptor(int socket, int fd, std::string_view text, const std::string& receiver);

}  // namespace trine::base
