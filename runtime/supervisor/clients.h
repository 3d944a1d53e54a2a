#pragma once

#include <poll.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/supervisor/attach_protocol.h"

namespace trine::runtime::supervisor {

/// Those who watch an instance and type to it: see attach_protocol.h.
///
/// One that does not read what it is sent holds the instance up, as a terminal that is stopped does.
class Clients {
 public:
  /// A listening socket of SOCK_SEQPACKET, which does not block.
  explicit Clients(base::UniqueFd listener) : listener_(std::move(listener)) {}

  /// One more, whose socket does not block.
  void add(base::UniqueFd socket) { clients_.push_back({.socket = std::move(socket), .pending = {}}); }

  /// Whether all have taken what they were sent: else no more is to come.
  [[nodiscard]] bool are_ready() const;

  /// Appends what is to be waited for. `input`: whether what they type is wanted now.
  void prepare(std::vector<pollfd>& waits, bool input);
  /// Acts on `waits`, which prepare() has appended to at `first`.
  using OnMessage = std::function<void(Message kind, std::string_view bytes)>;
  void act(const std::vector<pollfd>& waits, std::size_t first, const OnMessage& on_message);

  void send(Message kind, std::string_view bytes);

  /// Tells all the exit code, after what is still to be sent: that is given `patience_ms`.
  void end(int code, int patience_ms);

 private:
  struct Client {
    base::UniqueFd socket;
    std::string pending;  ///< a message that it had no room for
    bool gone = false;
  };
  void accept_one();
  static void flush(Client& client);
  static void receive(Client& client, const OnMessage& on_message);
  void forget_the_gone();

  base::UniqueFd listener_;
  std::vector<Client> clients_;
  std::size_t waited_ = 0;  ///< clients that prepare() has seen
};

}  // namespace trine::runtime::supervisor
