#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace trine::isolation {

/// What the caller and the child of start() say to each other. The end of the stream, without an error before
/// it, is the child's last word: its program runs (the socket is close-on-exec).
enum class MessageKind : std::uint8_t {
  kMapped,     ///< to the child: its id mappings are written
  kRecorded,   ///< to the child: the caller has written down what it needs to clear up after it
  kReady,      ///< to the caller: all is mounted, and its hooks may run
  kHooked,     ///< to the child: they have run
  kTimeMade,   ///< to the caller: a time namespace is made, and its clocks may be set
  kTimeSet,    ///< to the child: they are
  kInNetwork,  ///< to the caller: the network namespace is entered, and its interfaces may come
  kConnected,  ///< to the child: they have
  kCgroup,     ///< to the child: a cgroup to join, as a descriptor
  kCgroups,    ///< to the child: those were all
  kStart,      ///< to the child, through its gate: execute the program; with the descriptor of trine itself
  kNetwork,    ///< to the child: its network namespace, as a descriptor
  kListener,   ///< to the caller: the notify descriptor of the child's filter
  kServed,     ///< to the child: whoever answers has it
  kTerminal,   ///< to the caller: the master of the child's terminal, as a descriptor
  kWaiting,    ///< to the caller: it waits at its gate
  kError,      ///< to the caller: a Failure
  kUnmapped,   ///< to the caller: a mount of the container's own, whose owners are to be mapped
  kOwnersMapped,  ///< to the child: they are
};

/// An error on its way from the child.
struct Failure {
  std::string message;
  std::string hint;
  int errno_value = 0;
  bool exec = false;       ///< the program itself could not be executed
  bool not_found = false;  ///< … because it is not there
};

struct Message {
  MessageKind kind{};
  base::UniqueFd fd;
  Failure failure;
};

/// One end of a SOCK_SEQPACKET pair: a message arrives whole or not at all, however many threads send.
class Channel {
 public:
  Channel() = default;
  explicit Channel(base::UniqueFd socket) : socket_(std::move(socket)) {}

  void send(MessageKind kind, int fd = -1) const;
  /// Cuts texts that do not fit a message; a failure to send is ignored: nobody is listening then.
  void send_failure(const Failure& failure) const noexcept;
  /// Nothing: the other end is closed. Throws Error on a malformed message.
  [[nodiscard]] std::optional<Message> receive() const;

  [[nodiscard]] int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  base::UniqueFd socket_;
};

struct ChannelPair {
  Channel caller;
  Channel child;
};
ChannelPair make_channel();

}  // namespace trine::isolation
