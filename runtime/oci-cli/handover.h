#pragma once

#include <string>

/// What a caller is given of a new process, by ways that it named.
namespace trine::runtime::oci_cli {

struct Handover {
  std::string pid_file;
  std::string console_socket;  ///< gets the master of the terminal
  std::string pidfd_socket;    ///< gets a descriptor of the process
  bool detach = false;
};

/// Whether the flags fit each other and the process. Throws Error naming what is missing.
void check(const Handover& handover, bool terminal);

/// Whether the terminal's output ends in a file or a pipe of ours, which want the ends of lines as the
/// program writes them; a terminal of ours is raw, and wants a carriage return before each.
bool wants_plain_lines(const Handover& handover);

/// Hands out all that was asked for. `terminal` is -1 without one. The pid-file comes last: who waits for it
/// may count on the rest.
void hand_over(const Handover& handover, pid_t pid, int pidfd, int terminal);

/// A value of --preserve-fds. Throws Error.
unsigned parse_descriptor_count(const std::string& text);

/// How many descriptors from 3 on are for the program: --preserve-fds and those of systemd's socket
/// activation.
unsigned preserved_descriptors(unsigned asked);

}  // namespace trine::runtime::oci_cli
