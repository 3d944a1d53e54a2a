#include "runtime/backend/vm_exec.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <deque>

#include "base/error.h"
#include "base/file.h"
#include "base/socket.h"
#include "runtime/attach/terminal_mode.h"
#include "vm_clients.h"
#include "vm_streams.h"

namespace trine::runtime::backend {
namespace {

using hvm::FrameType;
/// All processes of an instance that ends are killed.
constexpr int kEndedUnderIt = 128 + SIGKILL;

/// The command's end of the conversation with the instance's trine.
class Line {
 public:
  /// Throws base::Error. Nothing is connected when the instance has ended.
  explicit Line(const std::string& path) {
    try {
      socket_ = base::connect_unix(path, SOCK_STREAM);
    } catch (const base::Error& error) {
      if (error.errno_value() != ENOENT && error.errno_value() != ECONNREFUSED)
        throw;
    }
  }

  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(socket_); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// False: the instance has ended.
  [[nodiscard]] bool send(FrameType type, std::uint64_t process, std::string payload) const {
    const std::string bytes =
        hvm::encode_frame({.type = type, .request = process, .payload = std::move(payload)});
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR)
        return false;
      rest.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    return true;
  }

  /// Waits for bytes, and a descriptor that comes with them. False: the instance has ended.
  bool receive() {
    std::array<char, 65536> bytes;
    base::Received received = base::receive_with_descriptor(socket_.get(), bytes, 0);
    if (received.size <= 0)
      return false;
    if (received.descriptor)
      descriptors_.push_back(std::move(received.descriptor));
    reader_.append({bytes.data(), static_cast<std::size_t>(received.size)});
    return true;
  }

  std::optional<hvm::Frame> next() {
    auto frame = reader_.next();
    if (frame && frame->type == FrameType::kReady) {
      const auto ready = hvm::wire::decode<hvm::Ready>(frame->payload);
      if (!ready || ready->version != hvm::kProtocolVersion)
        throw base::Error("the instance was started by another version of trine", 0,
                          "use that version, or start the instance again");
      return next();
    }
    return frame;
  }

  /// What came with a kStream.
  base::UniqueFd take_descriptor() {
    if (descriptors_.empty())
      return {};
    base::UniqueFd fd = std::move(descriptors_.front());
    descriptors_.pop_front();
    return fd;
  }

 private:
  base::UniqueFd socket_;
  hvm::FrameReader reader_;
  std::deque<base::UniqueFd> descriptors_;
};

/// One process beside the first, from the asking to its end.
class VmExec {
 public:
  VmExec(Line& line, const VmExecOptions& options, const attach::SignalBlock& signals)
      : line_(line),
        terminal_(options.process.process.terminal),
        detach_(options.detach),
        tell_started_(options.on_started),
        signals_(::signalfd(-1, &signals.signals(), SFD_CLOEXEC | SFD_NONBLOCK)),
        streams_(terminal_, options.interactive) {
    if (!signals_)
      base::throw_errno("cannot listen for signals");
    connected_ = line_.send(FrameType::kExec, kOwnProcess,
                            hvm::wire::encode(hvm::ExecRequest{.terminal = terminal_,
                                                               .input = options.interactive,
                                                               .detached = options.detach,
                                                               .process = encode_process(options.process)}));
  }

  int run() {
    for (;;) {
      if (!connected_ && !code_)
        code_ = kEndedUnderIt;
      // Its streams may have ended before: then there is nothing left to wait for.
      if (code_ && streams_.drained())
        return *code_;
      wait_once();
    }
  }

 private:
  void wait_once() {
    std::vector<pollfd> waits{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                              {.fd = connected_ ? line_.fd() : -1, .events = POLLIN, .revents = 0}};
    streams_.prepare(waits);
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR)
        return;
      base::throw_errno("cannot wait for the process");
    }
    streams_.carry(std::span(waits).subspan(2));
    if (waits[0].revents != 0)
      take_signals();
    if (waits[1].revents != 0)
      take_frames();
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGWINCH)
        send_window_size();
      else if (started_)
        send_signal(number);
      else if (number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP)
        throw base::Error("stopped by a signal before the program ran");
      else
        early_signals_.push_back(number);
    }
  }

  void send_signal(int number) {
    connected_ &=
        line_.send(FrameType::kSignal, kOwnProcess, hvm::wire::encode(static_cast<std::uint32_t>(number)));
  }

  void send_window_size() {
    const auto size = attach::own_window_size();
    if (started_ && terminal_ && size)
      connected_ &=
          line_.send(FrameType::kResize, kOwnProcess,
                     hvm::wire::encode(hvm::TerminalSize{.rows = size->rows, .columns = size->columns}));
  }

  void take_frames() {
    connected_ = line_.receive();
    while (const auto frame = line_.next())
      handle(*frame);
  }

  void handle(const hvm::Frame& frame) {
    switch (frame.type) {
      case FrameType::kStream: {
        base::UniqueFd socket = line_.take_descriptor();
        const auto hello = hvm::wire::decode<hvm::StreamHello>(frame.payload);
        if (hello && socket)
          streams_.add(hello->kind, std::move(socket));
        break;
      }
      case FrameType::kStarted:
        started_ = true;
        if (tell_started_)
          tell_started_();
        if (detach_)
          code_ = 0;
        send_window_size();
        for (const int number : std::exchange(early_signals_, {}))
          send_signal(number);
        break;
      case FrameType::kFailed:
        throw_failure(frame.payload);
      case FrameType::kExit:
        if (const auto exit = hvm::wire::decode<hvm::Exit>(frame.payload))
          code_ = exit_code_of(*exit);
        break;
      default:
        throw base::Error("the instance's trine sent a frame of an unknown type");
    }
  }

  Line& line_;
  bool terminal_, detach_;
  const std::function<void()>& tell_started_;
  base::UniqueFd signals_;
  VmStreams streams_;
  bool connected_ = true;
  bool started_ = false;
  std::vector<int> early_signals_;  ///< that came before there was a process
  std::optional<int> code_;
};

/// The one frame that answers what was asked about the first process. Nothing: the instance has ended.
std::optional<hvm::Frame> answer_on(Line& line) {
  constexpr int kPatienceMs = 10'000;
  for (;;) {
    if (auto frame = line.next())
      return frame;
    pollfd wait{.fd = line.fd(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, kPatienceMs);
    if (ready == 0)
      throw base::Error("the trine that runs the instance does not answer");
    if (ready > 0 && !line.receive())
      return std::nullopt;
  }
}

/// Asks something of the machine, and waits until it is so. False: the instance has ended.
bool change_machine(const std::string& socket, FrameType wish, std::string how = {}) {
  Line line(socket);
  if (!line || !line.send(wish, kFirstProcess, std::move(how)))
    return false;
  const auto answer = answer_on(line);
  if (answer && answer->type == FrameType::kFailed)
    throw_failure(answer->payload);
  return answer.has_value();
}

}  // namespace

int exec_in_vm(const VmExecOptions& options, const attach::SignalBlock& signals) {
  Line line(options.socket);
  if (!line)
    throw base::Error("the instance has ended");
  const bool raw_input = options.process.process.terminal && options.interactive;
  const attach::RawMode raw(raw_input ? STDIN_FILENO : -1);
  return VmExec(line, options, signals).run();
}

bool signal_vm(const std::string& socket, int number) {
  Line line(socket);
  return line &&
         line.send(FrameType::kSignal, kFirstProcess,
                   hvm::wire::encode(static_cast<std::uint32_t>(number))) &&
         answer_on(line).has_value();
}

bool pause_vm(const std::string& socket) {
  return change_machine(socket, FrameType::kPause);
}

bool resume_vm(const std::string& socket) {
  return change_machine(socket, FrameType::kResume);
}

bool set_balloon_of_vm(const std::string& socket, std::uint64_t bytes) {
  return change_machine(socket, FrameType::kBalloon, hvm::wire::encode(bytes));
}

std::optional<cgroups::Stats> stats_of_vm(const std::string& socket) {
  Line line(socket);
  if (!line || !line.send(FrameType::kStats, kFirstProcess, {}))
    return std::nullopt;
  const auto answer = answer_on(line);
  if (!answer)
    return std::nullopt;
  if (answer->type == FrameType::kFailed)
    throw_failure(answer->payload);
  const auto figures = hvm::wire::decode<hvm::Figures>(answer->payload);
  if (answer->type != FrameType::kFigures || !figures)
    throw base::Error("the guest's answer is no figures");
  return cgroups::Stats{.memory_bytes = figures->memory_bytes,
                        .cpu_usage_us = figures->cpu_microseconds,
                        .pids = figures->processes};
}

}  // namespace trine::runtime::backend
