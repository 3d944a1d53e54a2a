#include "isolation/gate.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "channel.h"
#include "report.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr const char* kName = "start";

/// By way of the descriptor: a state directory's path may be longer than a socket's address.
sockaddr_un address_in(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = base::fd_path(directory) + "/" + kName;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

base::UniqueFd make_socket() {
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket)
    base::throw_errno("cannot make a socket");
  return socket;
}

/// What this process has from its caller, and would close by itself with exec only: it may wait for days, and
/// a descriptor of a cgroup, a lock or a pipe would be held all the while.
void close_all_but_needed(const Context& context) {
  const unsigned first = 3 + context.plan.process.preserved_descriptors;
  const auto gate = static_cast<unsigned>(context.hooks.gate);
  if (gate > first)
    ::syscall(SYS_close_range, first, gate - 1, 0U);
  ::syscall(SYS_close_range, std::max(first, gate + 1), ~0U, 0U);
}

/// The first process of a pid namespace passes over signals that it has no handler for: without these a
/// container that is not wanted any more could only be killed. exec resets them.
void end_on_signals() {
  if (::getpid() != 1)
    return;
  struct sigaction action{};
  action.sa_handler = [](int number) { ::_exit(128 + number); };
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
    ::sigaction(number, &action, nullptr);
}

}  // namespace

base::UniqueFd make_gate(int directory) {
  base::UniqueFd socket = make_socket();
  const sockaddr_un address = address_in(directory);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 4) != 0) {
    base::throw_errno("cannot make the socket that the container waits on");
  }
  return socket;
}

void open_gate(int directory, const std::function<void(int listener)>& on_listener) {
  base::UniqueFd socket = make_socket();
  const sockaddr_un address = address_in(directory);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT)
      throw base::Error("cannot start the container: its first process does not wait any more");
    base::throw_errno("cannot start the container");
  }
  const Channel channel(std::move(socket));
  // A script is executed from a copy of this program, which the child does not hold while it waits.
  channel.send(MessageKind::kStart, base::open_file("/proc/self/exe", O_RDONLY).get());
  await_exec(channel, on_listener);
}

void remove_gate(int directory) {
  ::unlinkat(directory, kName, 0);
}

bool has_gate(int directory) {
  return ::faccessat(directory, kName, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void await_start(Context& context) {
  if (context.hooks.gate < 0)
    return;
  // The caller ends now, and this container does not end with it.
  ::prctl(PR_SET_PDEATHSIG, 0);
  context.channel.send(MessageKind::kWaiting);
  context.channel.close();
  close_all_but_needed(context);
  end_on_signals();
  for (;;) {
    base::UniqueFd peer(::accept4(context.hooks.gate, nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) {
      if (errno == EINTR || errno == ECONNABORTED)
        continue;
      base::throw_errno("cannot wait to be started");
    }
    Channel channel(std::move(peer));
    auto message = channel.receive();
    // Whoever knocked is gone again: the next one may mean it.
    if (!message || message->kind != MessageKind::kStart)
      continue;
    context.executable = std::move(message->fd);
    context.channel = std::move(channel);
    return;
  }
}

}  // namespace trine::isolation
