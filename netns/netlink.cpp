#include "netlink.h"

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/error.h"

namespace trine::netns {
namespace {

/// libnl has error numbers of its own, coarser than errno. What the kernel answers to a request is taken from
/// the answer itself (on_error); this is for the calls around it, and knows their usual causes.
int errno_of(int libnl_error) {
  switch (std::abs(libnl_error)) {
    case NLE_NOMEM:
      return ENOMEM;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_AF_NOSUPPORT:
      return EAFNOSUPPORT;
    case NLE_PROTO_MISMATCH:
      return EPROTONOSUPPORT;
    case NLE_INTR:
      return EINTR;
    default:
      return EIO;
  }
}

/// What the kernel answered: 0, or a positive errno.
struct Answer {
  int kernel_errno = 0;
  bool arrived = false;
};

int on_error(sockaddr_nl* /*from*/, nlmsgerr* answer, void* argument) {
  *static_cast<Answer*>(argument) = {.kernel_errno = -answer->error, .arrived = true};
  return NL_STOP;
}

int on_ack(nl_msg* /*message*/, void* argument) {
  *static_cast<Answer*>(argument) = {.kernel_errno = 0, .arrived = true};
  return NL_STOP;
}

using Visit = std::function<void(const nlmsghdr*)>;

int on_message(nl_msg* message, void* argument) {
  (*static_cast<const Visit*>(argument))(nlmsg_hdr(message));
  return NL_OK;
}

int on_finish(nl_msg* /*message*/, void* argument) {
  *static_cast<Answer*>(argument) = {.kernel_errno = 0, .arrived = true};
  return NL_STOP;
}

struct FreeCallbacks {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

}  // namespace

Request::Request(int type, int flags) : message_(nlmsg_alloc_simple(type, flags)) {
  if (!message_)
    throw std::bad_alloc();
}

void Request::Free::operator()(nl_msg* message) const {
  nlmsg_free(message);
}

void Request::append(const void* data, std::size_t size) {
  // nlmsg_append takes its source as a pointer to non-const, and only reads it.
  if (nlmsg_append(get(), const_cast<void*>(data), size, NLMSG_ALIGNTO) < 0)
    throw std::bad_alloc();
}

Request& Request::add(int attribute, const std::string& value) {
  if (nla_put_string(get(), attribute, value.c_str()) < 0)
    throw std::bad_alloc();
  return *this;
}

Request& Request::add(int attribute, std::uint32_t value) {
  if (nla_put_u32(get(), attribute, value) < 0)
    throw std::bad_alloc();
  return *this;
}

Request& Request::add_bytes(int attribute, const std::string& value) {
  if (nla_put(get(), attribute, static_cast<int>(value.size()), value.data()) < 0)
    throw std::bad_alloc();
  return *this;
}

nlattr* Request::begin_nest(int attribute) {
  nlattr* const begin = nla_nest_start(get(), attribute);
  if (begin == nullptr)
    throw std::bad_alloc();
  return begin;
}

void Request::end_nest(nlattr* begin) {
  nla_nest_end(get(), begin);
}

Socket::Socket(int protocol) : socket_(nl_socket_alloc()) {
  if (!socket_)
    throw std::bad_alloc();
  // libnl looks at a message before it takes it, to size its buffer; an acknowledgement always fits.
  nl_socket_disable_msg_peek(socket_.get());
  const int error = nl_connect(socket_.get(), protocol);
  if (error < 0)
    throw base::Error("cannot open a netlink socket", errno_of(error));
}

void Socket::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

namespace {

std::unique_ptr<nl_cb, FreeCallbacks> make_callbacks(Answer& answer) {
  std::unique_ptr<nl_cb, FreeCallbacks> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks)
    throw std::bad_alloc();
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &answer);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_ack, &answer);
  return callbacks;
}

void exchange(nl_sock* socket, nl_msg* request, nl_cb* callbacks, const Answer& answer,
              const std::string& purpose) {
  const int sent = nl_send_auto(socket, request);
  if (sent < 0)
    throw base::Error(purpose + ": the netlink request was not sent", errno_of(sent));
  while (!answer.arrived) {
    const int received = nl_recvmsgs(socket, callbacks);
    if (received < 0 && !answer.arrived && errno_of(received) != EINTR) {
      throw base::Error(purpose + ": no answer from the kernel", errno_of(received));
    }
  }
  if (answer.kernel_errno != 0) {
    throw base::Error(purpose, answer.kernel_errno,
                      answer.kernel_errno == EPERM
                          ? "it needs CAP_NET_ADMIN in the user namespace that owns the network namespace"
                          : "");
  }
}

}  // namespace

void Socket::transact(const Request& request, const std::string& purpose) const {
  Answer answer;
  const auto callbacks = make_callbacks(answer);
  exchange(socket_.get(), request.get(), callbacks.get(), answer, purpose);
}

void Socket::dump(const Request& request, const std::string& purpose, const Visit& visit) const {
  Answer answer;
  const auto callbacks = make_callbacks(answer);
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, const_cast<Visit*>(&visit));
  nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &answer);
  // The messages of a dump may be larger than libnl's buffer, which cuts them unless it looks first.
  nl_socket_enable_msg_peek(socket_.get());
  exchange(socket_.get(), request.get(), callbacks.get(), answer, purpose);
  nl_socket_disable_msg_peek(socket_.get());
}

}  // namespace trine::netns
