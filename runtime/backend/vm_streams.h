#pragma once

#include <poll.h>

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "hvm-sandbox/protocol.h"
#include "hvm-sandbox/pump.h"

namespace trine::runtime::backend {

/// The streams of one process in a guest, at the host's end, each carried to or from one of our own. What
/// comes is a stranger's: each kind is taken once, and only if the process was asked for with it.
class VmStreams {
 public:
  VmStreams(bool terminal, bool input) : terminal_(terminal), input_(input) {}

  void add(hvm::StreamKind kind, base::UniqueFd socket);

  /// As a part of a poll(2) loop: appends what to wait for; goes on by what the wait gave, and returns how
  /// many entries it was.
  void prepare(std::vector<pollfd>& waits);
  std::size_t carry(std::span<const pollfd> waits);

  /// All output that there is has been carried.
  [[nodiscard]] bool drained() const;

 private:
  void add_output(const base::UniqueFd& socket, int target);
  void add_input(const base::UniqueFd& socket);

  bool terminal_, input_;
  unsigned taken_ = 0;  ///< a bit for each kind
  std::vector<hvm::Pump> pumps_;
  std::vector<std::size_t> outputs_;  ///< which of them carry output
  std::size_t waited_ = 0;            ///< how many of them the last prepare() named
};

/// Takes the 16 bytes that a stream begins with. Nothing yet, or never: `closed`.
struct StreamGreeting {
  std::optional<hvm::StreamHello> hello;
  bool closed = false;
};
StreamGreeting read_greeting(int socket);

/// The error that a Failure stands for: isolation::ExecError for a program that cannot be run. `payload` is a
/// stranger's.
[[noreturn]] void throw_failure(std::string_view payload);

/// The exit code in an Exit that a stranger sent.
int exit_code_of(const hvm::Exit& exit);

}  // namespace trine::runtime::backend
