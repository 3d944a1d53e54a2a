#include "handover.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/socket.h"
#include "base/text.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::uint64_t kMostDescriptors = 1 << 16;

void write_pid_file(const std::string& path, pid_t pid) {
  const auto slash = path.find_last_of('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const base::UniqueFd parent = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(parent.get(), slash == std::string::npos ? path : path.substr(slash + 1),
                     std::to_string(pid), base::Durability::kMemory, 0644);
}

}  // namespace

void check(const Handover& handover, bool terminal) {
  if (terminal && handover.detach && handover.console_socket.empty()) {
    throw base::Error("a terminal is asked for, and nobody is there to have its other end", 0,
                      "give --console-socket, or set process.terminal to false");
  }
  if (!terminal && !handover.console_socket.empty()) {
    throw base::Error("--console-socket is given for a process without a terminal", 0,
                      "set process.terminal to true, or leave the flag out");
  }
}

bool wants_plain_lines(const Handover& handover) {
  return !handover.detach && handover.console_socket.empty() && ::isatty(STDOUT_FILENO) == 0;
}

void hand_over(const Handover& handover, pid_t pid, int pidfd, int terminal) {
  if (!handover.console_socket.empty()) {
    const base::UniqueFd socket = base::connect_unix(handover.console_socket, SOCK_STREAM);
    base::send_descriptor(socket.get(), terminal, "/dev/ptmx", handover.console_socket);
  }
  if (!handover.pidfd_socket.empty()) {
    const base::UniqueFd socket = base::connect_unix(handover.pidfd_socket, SOCK_STREAM);
    base::send_descriptor(socket.get(), pidfd, "pidfd", handover.pidfd_socket);
  }
  if (!handover.pid_file.empty())
    write_pid_file(handover.pid_file, pid);
}

unsigned parse_descriptor_count(const std::string& text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number > kMostDescriptors)
    throw base::Error("--preserve-fds '" + text + "' is no number of descriptors");
  return static_cast<unsigned>(*number);
}

unsigned preserved_descriptors(unsigned asked) {
  const char* listen = std::getenv("LISTEN_FDS");
  const std::uint64_t activated = base::parse_unsigned(listen != nullptr ? listen : "").value_or(0);
  return asked + static_cast<unsigned>(std::min(activated, kMostDescriptors));
}

}  // namespace trine::runtime::oci_cli
