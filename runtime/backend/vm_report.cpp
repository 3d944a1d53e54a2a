#include "runtime/backend/vm_report.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/in_root.h"
#include "base/socket.h"
#include "hvm-sandbox/protocol.h"
#include "isolation/start.h"

namespace trine::runtime::backend {
namespace {

constexpr std::uint32_t kNotFound = 127;
constexpr std::uint32_t kNotExecutable = 126;

/// Waits until `fd` has something, or the keeper ended. False: the latter, and `fd` has nothing.
bool await_readable(int fd, int keeper) {
  std::array<pollfd, 2> waits{pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                              pollfd{.fd = keeper, .events = POLLIN, .revents = 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0) {
    if (errno != EINTR)
      base::throw_errno("cannot wait for the VM to come up");
  }
  return waits[0].revents != 0;
}

[[noreturn]] void throw_reported(std::string_view payload) {
  const auto failure = hvm::wire::decode<hvm::Failure>(payload);
  if (!failure)
    throw base::Error("the VM's keeper says that it failed, and not why");
  if (failure->exit_code == kNotFound || failure->exit_code == kNotExecutable)
    throw isolation::ExecError(failure->message, failure->errno_value, failure->hint,
                               failure->exit_code == kNotFound);
  throw base::Error(failure->message, failure->errno_value, failure->hint);
}

[[noreturn]] void report_silent_end() {
  throw base::Error("the VM's keeper ended before its program ran", 0,
                    "what it said is on the container's standard error");
}

}  // namespace

ReportSocket::ReportSocket(int directory, std::string name) : directory_(directory), name_(std::move(name)) {
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // By way of the descriptor: the directory's path may be longer than a socket's address.
  const std::string path = base::fd_path(directory) + "/" + name_;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ::unlinkat(directory, name_.c_str(), 0);
  if (!listener_ || ::fchmod(listener_.get(), 0600) != 0 ||
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0)
    base::throw_errno("cannot make the socket on which the VM reports");
}

ReportSocket::~ReportSocket() {
  ::unlinkat(directory_, name_.c_str(), 0);
}

void ReportSocket::await(int keeper) const {
  if (!await_readable(listener_.get(), keeper))
    report_silent_end();
  const base::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  hvm::FrameReader reader;
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t got = ::recv(peer.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      report_silent_end();
    reader.append({bytes.data(), static_cast<std::size_t>(got)});
    const auto frame = reader.next();
    if (!frame)
      continue;
    if (frame->type == hvm::FrameType::kFailed)
      throw_reported(frame->payload);
    return;
  }
}

Reporter::Reporter(const std::string& path) {
  try {
    socket_ = base::connect_unix(path, SOCK_STREAM);
  } catch (const base::Error& error) {
    if (error.errno_value() != ENOENT && error.errno_value() != ECONNREFUSED)
      throw;
  }
}

void Reporter::started() {
  const std::string bytes = hvm::encode_frame({.type = hvm::FrameType::kStarted, .payload = {}});
  (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  socket_.reset();
}

void Reporter::failed(const base::Error& error) {
  hvm::Failure failure{.message = error.message(), .hint = error.hint(), .errno_value = error.errno_value()};
  if (const auto* exec = dynamic_cast<const isolation::ExecError*>(&error))
    failure.exit_code = exec->not_found() ? kNotFound : kNotExecutable;
  const std::string bytes =
      hvm::encode_frame({.type = hvm::FrameType::kFailed, .payload = hvm::wire::encode(failure)});
  (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  socket_.reset();
}

}  // namespace trine::runtime::backend
