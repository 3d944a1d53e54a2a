#pragma once

#include <array>
#include <vector>

#include "base/unique_fd.h"
#include "hvm-sandbox/protocol.h"
#include "hvm-sandbox/pump.h"

namespace trine::hvm {

/// A connection to the host. Throws base::Error.
base::UniqueFd dial(std::uint32_t port);

/// Which of them a process has.
struct Streams {
  bool terminal = false;
  bool input = false;
  bool detached = false;  ///< all of them lead nowhere
};

/// The standard streams of a process: pipes in the guest, with a connection to the host behind each. Pipes,
/// because programs open /dev/stdout again, which a socket refuses.
class Stdio {
 public:
  /// Opens the connections. Throws base::Error.
  Stdio(std::uint64_t request, const Streams& wanted);

  /// The caller's own streams are the process' while this lives.
  class Borrowed {
   public:
    explicit Borrowed(Stdio& stdio);
    ~Borrowed();
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;

   private:
    Stdio& stdio_;
    std::array<base::UniqueFd, 3> before_;
  };

  /// Once the process runs: begins to carry. `terminal` is its master, or empty.
  void connect(base::UniqueFd terminal);
  void resize(const TerminalSize& size) const;

  [[nodiscard]] std::vector<Pump>& pumps() { return pumps_; }
  /// A terminal whose input from the host has ended while the process still writes to it.
  [[nodiscard]] bool awaits_end() const;
  /// Types the end of input, as a person would.
  void type_end() const;
  /// Lets go of a terminal whose other end at the host is gone, which hangs it up.
  void hang_up_if_alone();
  /// Whether all output was carried to the host.
  [[nodiscard]] bool drained() const;

 private:
  struct Stream {
    StreamKind kind{};
    base::UniqueFd connection;
    base::UniqueFd ours, theirs;  ///< ends of a pipe
  };

  bool detached_ = false;
  std::vector<Stream> streams_;
  std::vector<Pump> pumps_;
  std::size_t outputs_ = 0;  ///< pumps of output come first
  base::UniqueFd terminal_;
};

}  // namespace trine::hvm
