#include "netlink.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <string>

#include "base/error.h"

namespace trine::netns {
namespace {

/// libnl has error numbers of its own, the kernel's refusals among them as texts.
[[noreturn]] void fail(const std::string& what, int error) { throw base::Error(what + ": " + ::nl_geterror(error)); }

}  // namespace

void FreeMessage::operator()(nl_msg* message) const { ::nlmsg_free(message); }
void Netlink::Free::operator()(nl_sock* socket) const { ::nl_socket_free(socket); }

Message make_message(int type, int flags) {
  Message message(::nlmsg_alloc_simple(type, flags));
  if (!message) throw base::Error("cannot make a netlink message: out of memory");
  return message;
}

Netlink::Netlink() : socket_(::nl_socket_alloc()) {
  if (!socket_) throw base::Error("cannot make a netlink socket: out of memory");
  if (const int error = ::nl_connect(socket_.get(), NETLINK_ROUTE); error < 0) {
    fail("cannot reach the kernel's network configuration", error);
  }
}

void Netlink::request(const Message& message, const char* what) {
  if (const int error = ::nl_send_auto(socket_.get(), message.get()); error < 0) fail(what, error);
  if (const int error = ::nl_wait_for_ack(socket_.get()); error < 0) fail(what, error);
}

}  // namespace trine::netns
