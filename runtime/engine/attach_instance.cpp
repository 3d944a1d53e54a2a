#include "runtime/engine/attach_instance.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include "attach_by.h"
#include "base/error.h"
#include "base/file.h"
#include "base/socket.h"
#include "detach_keys.h"
#include "first_process.h"
#include "layout.h"
#include "runtime/attach/attach.h"
#include "runtime/attach/terminal_mode.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/lifecycle.h"
#include "runtime/supervisor/attach_protocol.h"

namespace trine::runtime::engine {
namespace {

using supervisor::kMostBytes;
using supervisor::Message;

base::UniqueFd connect_to_supervisor(const Paths& paths, const Record& record, const std::string& reference) {
  try {
    return base::connect_unix(run_root(paths) + "/" + record.id + "/" + supervisor::kAttachSocket,
                              SOCK_SEQPACKET);
  } catch (const base::Error& error) {
    if (error.errno_value() != ENOENT)
      throw;
    throw base::Error("cannot attach to " + reference + ": it runs in the foreground", 0,
                      "its streams are those of the trine run that started it; run -d has them here");
  }
}

/// The other end of a supervisor's socket: our three streams.
class AttachClient {
 public:
  AttachClient(base::UniqueFd socket, bool input, std::string detach_keys)
      : socket_(std::move(socket)), input_open_(input), keys_(std::move(detach_keys)) {}

  /// The exit code; nothing when the supervisor was killed.
  using OnSignal = std::function<bool(int)>;  ///< false: the instance is to be left alone
  std::optional<int> run(int signals, const OnSignal& on_signal);
  void resize();
  /// Whether it is over with the instance, and not with us alone.
  [[nodiscard]] bool has_ended() const { return ended_; }

 private:
  void take_message();
  void take_input();
  void send(Message kind, std::string_view bytes);
  void flush();
  void take_signals(int signals, const OnSignal& on_signal);

  base::UniqueFd socket_;
  bool input_open_;
  DetachKeys keys_;
  std::string unsent_;  ///< a message for which the socket had no room
  bool over_ = false;
  bool ended_ = false;
  std::optional<int> code_;
};

std::optional<int> AttachClient::run(int signals, const OnSignal& on_signal) {
  resize();
  while (!over_) {
    const bool can_type = input_open_ && unsent_.empty();
    std::array<pollfd, 3> waits{pollfd{.fd = socket_.get(),
                                       .events = static_cast<short>(POLLIN | (unsent_.empty() ? 0 : POLLOUT)),
                                       .revents = 0},
                                pollfd{.fd = signals, .events = POLLIN, .revents = 0},
                                pollfd{.fd = can_type ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR)
        continue;
      base::throw_errno("cannot wait for the instance");
    }
    if (waits[1].revents != 0)
      take_signals(signals, on_signal);
    if (waits[2].revents != 0)
      take_input();
    if ((waits[0].revents & POLLOUT) != 0)
      flush();
    if ((waits[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
      take_message();
  }
  return code_;
}

void AttachClient::take_message() {
  std::array<char, kMostBytes> message;
  const ssize_t size = ::recv(socket_.get(), message.data(), message.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size <= 0) {
    over_ = ended_ = true;
    return;
  }
  const std::string_view bytes(message.data() + 1, static_cast<std::size_t>(size) - 1);
  switch (static_cast<Message>(message[0])) {
    case Message::kOutput:
      return base::write_all(STDOUT_FILENO, bytes, "the standard output");
    case Message::kErrors:
      return base::write_all(STDERR_FILENO, bytes, "the standard error");
    case Message::kExit:
      over_ = ended_ = true;
      if (!bytes.empty())
        code_ = static_cast<unsigned char>(bytes.front());
      return;
    default:
      return;
  }
}

void AttachClient::take_input() {
  std::array<char, kMostBytes / 2> typed;
  const ssize_t size = ::read(STDIN_FILENO, typed.data(), typed.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size <= 0) {
    input_open_ = false;
    return send(Message::kInputEnd, {});
  }
  if (const std::string passed = keys_.take({typed.data(), static_cast<std::size_t>(size)}); !passed.empty())
    send(Message::kInput, passed);
  if (keys_.are_typed()) {
    over_ = true;
    code_ = 0;
  }
}

void AttachClient::send(Message kind, std::string_view bytes) {
  unsent_.assign(1, static_cast<char>(kind)).append(bytes);
  flush();
}

void AttachClient::flush() {
  if (::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
      errno == EPIPE)
    unsent_.clear();
  else if (errno != EAGAIN && errno != EINTR)
    base::throw_errno("cannot send to the instance");
}

void AttachClient::resize() {
  const auto size = attach::own_window_size();
  if (!size || !unsent_.empty())
    return;
  const supervisor::WindowSize window{.rows = size->rows, .columns = size->columns};
  send(Message::kResize, {reinterpret_cast<const char*>(&window), sizeof window});
}

void AttachClient::take_signals(int signals, const OnSignal& on_signal) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH) {
      resize();
    } else if (!on_signal(number)) {
      over_ = true;
      code_ = 128 + number;
    }
  }
}

}  // namespace

std::optional<int> attach_by(base::UniqueFd socket, const Paths& paths, const Record& record,
                             const AttachRequest& request) {
  AttachClient client(std::move(socket), request.input,
                      record.terminal ? request.detach_keys : std::string());
  const attach::SignalBlock block;
  const base::UniqueFd signals(::signalfd(-1, &block.signals(), SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals)
    base::throw_errno("cannot listen for signals");
  const attach::RawMode raw(record.terminal && request.input ? STDIN_FILENO : -1);
  const auto code = client.run(signals.get(), [&](int number) {
    if (!request.pass_on_signals)
      return number != SIGINT && number != SIGTERM && number != SIGHUP && number != SIGQUIT;
    try {
      (void)signal_first(paths, find_running(paths, record.id, "signal"), number);
    } catch (const base::Error&) {
      // It has ended: so shall we, as soon as we have read it all.
    }
    return true;
  });
  // Its end is not written down yet.
  if (client.has_ended())
    await_release(paths, record);
  return code;
}

int attach_to_instance(const Paths& paths, const std::string& reference, const AttachRequest& request) {
  const RunningInstance instance = find_running(paths, reference, "attach to");
  AwaitedEnd end(paths, instance.record.id);
  const auto code =
      attach_by(connect_to_supervisor(paths, instance.record, reference), paths, instance.record, request);
  return code ? *code : end.wait();
}

}  // namespace trine::runtime::engine
