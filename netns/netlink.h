#pragma once

#include <cstdint>
#include <memory>

struct nl_msg;
struct nl_sock;

namespace trine::netns {

struct FreeMessage {
  void operator()(nl_msg* message) const;
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

/// A new request of rtnetlink's `type` (RTM_…) with `flags` beside NLM_F_REQUEST.
Message make_message(int type, int flags);

/// A connection to rtnetlink, in the network namespace of the thread that opens it.
/// Source: rtnetlink(7), libnl-3.
class Netlink {
 public:
  Netlink();
  /// Sends a request and waits for the kernel's answer to it. Throws Error that begins with `what`.
  void request(const Message& message, const char* what);

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace trine::netns
