#include "vm_streams.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "isolation/start.h"

namespace trine::runtime::backend {
namespace {

base::UniqueFd copy_of(int fd) {
  base::UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy)
    base::throw_errno("cannot copy a descriptor");
  return copy;
}

}  // namespace

void VmStreams::add_output(const base::UniqueFd& socket, int target) {
  outputs_.push_back(pumps_.size());
  pumps_.emplace_back(copy_of(socket.get()), copy_of(target), hvm::Pump::Target::kShared);
}

void VmStreams::add_input(const base::UniqueFd& socket) {
  if (input_)
    pumps_.emplace_back(copy_of(STDIN_FILENO), copy_of(socket.get()), hvm::Pump::Target::kOwn);
}

void VmStreams::add(hvm::StreamKind kind, base::UniqueFd socket) {
  const auto number = static_cast<unsigned>(kind);
  const bool is_terminal = kind == hvm::StreamKind::kTerminal;
  if (kind > hvm::StreamKind::kTerminal || is_terminal != terminal_ || (taken_ >> number & 1U) != 0)
    return;
  taken_ |= 1U << number;
  (void)::fcntl(socket.get(), F_SETFL, O_NONBLOCK | ::fcntl(socket.get(), F_GETFL));
  if (kind != hvm::StreamKind::kInput)
    add_output(socket, kind == hvm::StreamKind::kError ? STDERR_FILENO : STDOUT_FILENO);
  if (kind == hvm::StreamKind::kInput || is_terminal)
    add_input(socket);
}

void VmStreams::prepare(std::vector<pollfd>& waits) {
  waited_ = pumps_.size();
  for (const hvm::Pump& pump : pumps_) {
    std::array<pollfd, hvm::Pump::kWaits> pair{};
    pump.prepare(pair);
    waits.insert(waits.end(), pair.begin(), pair.end());
  }
}

std::size_t VmStreams::carry(std::span<const pollfd> waits) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < waited_; ++i, next += hvm::Pump::kWaits)
    pumps_[i].carry({waits[next], waits[next + 1]});
  return next;
}

bool VmStreams::drained() const {
  return std::ranges::all_of(outputs_, [this](std::size_t index) { return pumps_[index].done(); });
}

StreamGreeting read_greeting(int socket) {
  std::array<char, hvm::kStreamHelloBytes> bytes{};
  const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return {};
  if (got != static_cast<ssize_t>(bytes.size()))
    return {.closed = true};
  StreamGreeting greeting{.hello = hvm::wire::decode<hvm::StreamHello>({bytes.data(), bytes.size()})};
  greeting.closed = !greeting.hello;
  return greeting;
}

void throw_failure(std::string_view payload) {
  const auto failure = hvm::wire::decode<hvm::Failure>(payload);
  if (!failure)
    throw base::Error("the guest's agent cannot start the process, and does not say why");
  if (failure->exit_code == 126 || failure->exit_code == 127)
    throw isolation::ExecError(failure->message, failure->errno_value, failure->hint,
                               failure->exit_code == 127);
  throw base::Error("in the guest: " + failure->message, failure->errno_value, failure->hint);
}

int exit_code_of(const hvm::Exit& exit) {
  return static_cast<int>(exit.code & 0xffU);
}

}  // namespace trine::runtime::backend
