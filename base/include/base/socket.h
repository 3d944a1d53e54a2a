#pragma once

#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace trine::base {

/// Connects to a stream socket in the file system, whatever the length of its path. Throws Error naming it.
UniqueFd connect_unix(const std::string& path);

/// Sends a descriptor with `text` (at least one byte) once, with `flags` as for sendmsg(2), MSG_NOSIGNAL
/// added. False: it was not sent, and errno says why.
bool try_send_descriptor(int socket, int fd, std::string_view text, int flags) noexcept;

/// Sends a descriptor with `text` (at least one byte). Throws Error naming `receiver`.
void send_descriptor(int socket, int fd, std::string_view text, const std::string& receiver);

}  // namespace trine::base
