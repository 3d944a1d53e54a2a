#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

struct nl_msg;
struct nl_sock;
struct nlattr;
struct nlmsghdr;

/// The netlink layer that everything in this folder speaks through: a message is built, sent, and the
/// kernel's answer to it is awaited.
namespace trine::netns {

/// One netlink message with its header. Attributes are added with add().
class Request {
 public:
  /// `type` is RTM_NEWLINK and the like; `flags` is NLM_F_CREATE and the like. NLM_F_REQUEST and NLM_F_ACK
  /// are added by Socket.
  Request(int type, int flags);

  /// Appends the fixed part that follows the netlink header: an ifinfomsg, an ifaddrmsg, an rtmsg.
  template <typename Header>
  Request& header(const Header& value) {
    append(&value, sizeof value);
    return *this;
  }

  Request& add(int attribute, const std::string& value);  ///< with its terminating zero, as names are sent
  Request& add(int attribute, std::uint32_t value);

  Request& add_bytes(int attribute, const std::string& value);  ///< exactly these

  /// An attribute that consists of those which `fill` adds.
  template <typename Fill>
  Request& nest(int attribute, Fill fill) {
    nlattr* const begin = begin_nest(attribute);
    fill();
    end_nest(begin);
    return *this;
  }

  [[nodiscard]] nl_msg* get() const { return message_.get(); }

 private:
  struct Free {
    void operator()(nl_msg* message) const;
  };
  void append(const void* data, std::size_t size);
  nlattr* begin_nest(int attribute);
  void end_nest(nlattr* begin);

  std::unique_ptr<nl_msg, Free> message_;
};

/// A netlink socket in the network namespace of the thread that makes it; it stays there whatever the thread
/// does later. Not to be shared between threads.
class Socket {
 public:
  /// `protocol` is NETLINK_ROUTE and the like. Throws Error.
  explicit Socket(int protocol);

  /// Sends `request` and waits for the kernel's acknowledgement. `purpose` begins the sentence of an error:
  /// "cannot bring up lo". Throws Error with the kernel's errno.
  void transact(const Request& request, const std::string& purpose) const;

  /// Sends a request with NLM_F_DUMP and hands each message of the answer to `visit`, which must not throw.
  /// Throws Error as transact() does.
  void dump(const Request& request, const std::string& purpose,
            const std::function<void(const nlmsghdr*)>& visit) const;

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace trine::netns
