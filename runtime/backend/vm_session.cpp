#include "vm_session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "isolation/start.h"

namespace trine::runtime::backend {
namespace {

constexpr std::uint64_t kRequest = 1;  ///< the one process of the session
constexpr std::size_t kMostStreams = 8;

// Source: hvm-sandbox/monitor/exit_codes.h, as its caller understands it.
struct MachineEnd {
  int code;
  const char* text;
};
constexpr std::array kMachineEnds{
    MachineEnd{0, "its guest powered off"},         MachineEnd{10, "its guest rebooted"},
    MachineEnd{11, "its guest's kernel panicked"},  MachineEnd{12, "its guest's processor stopped"},
    MachineEnd{13, "its monitor was told to stop"}, MachineEnd{127, "its monitor could not be run"},
    MachineEnd{137, "its monitor was killed"},
};

base::UniqueFd copy_of(int fd) {
  base::UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy)
    base::throw_errno("cannot copy a descriptor");
  return copy;
}

void unblock(int fd) {
  (void)::fcntl(fd, F_SETFL, O_NONBLOCK | ::fcntl(fd, F_GETFL));
}

}  // namespace

VmSession::VmSession(Monitor& monitor, const attach::SignalBlock& signals, const hvm::StartRequest& request,
                     std::chrono::seconds boot_limit)
    : monitor_(monitor),
      request_(request),
      boot_limit_(boot_limit),
      deadline_(std::chrono::steady_clock::now() + boot_limit),
      signals_(::signalfd(-1, &signals.signals(), SFD_CLOEXEC | SFD_NONBLOCK)) {
  if (!signals_)
    base::throw_errno("cannot listen for signals");
}

VmEnd VmSession::run() {
  while (!finished())
    wait_once();
  // The guest has nothing on disk that it would have to write back: its machine ends where it stands.
  return *end_;
}

bool VmSession::finished() const {
  return end_ && std::ranges::all_of(outputs_, [this](std::size_t index) { return pumps_[index].done(); });
}

void VmSession::wait_once() {
  const std::size_t streams = pumps_.size();
  const std::size_t greetings = greeting_.size();
  std::vector<pollfd> waits{{.fd = monitor_.process().pidfd(), .events = POLLIN, .revents = 0},
                            {.fd = signals_.get(), .events = POLLIN, .revents = 0},
                            {.fd = monitor_.channel(), .events = POLLIN, .revents = 0},
                            {.fd = control_.get(), .events = POLLIN, .revents = 0}};
  for (const base::UniqueFd& socket : greeting_)
    waits.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  for (const hvm::Pump& pump : pumps_) {
    std::array<pollfd, hvm::Pump::kWaits> pair{};
    pump.prepare(pair);
    waits.insert(waits.end(), pair.begin(), pair.end());
  }
  int timeout = -1;
  if (!ready_) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      report_no_boot();
    timeout = static_cast<int>(left.count()) + 1;
  }
  if (::poll(waits.data(), waits.size(), timeout) < 0) {
    if (errno == EINTR)
      return;
    base::throw_errno("cannot wait for the instance");
  }
  for (std::size_t i = 0; i < streams; ++i) {
    const std::size_t at = 4 + greetings + (i * hvm::Pump::kWaits);
    pumps_[i].carry({waits[at], waits[at + 1]});
  }
  for (std::size_t i = greetings; i > 0; --i) {
    if (waits[3 + i].revents == 0)
      continue;
    base::UniqueFd socket = std::move(greeting_[i - 1]);
    greeting_.erase(greeting_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    add_stream(std::move(socket));
  }
  if (waits[1].revents != 0)
    take_signals();
  if (waits[2].revents != 0)
    take_connection();
  if (waits[3].revents != 0)
    take_frames();
  if (waits[0].revents != 0 && !finished())
    report_machine_end();
}

void VmSession::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH)
      send_window_size();
    else if (started_)
      send(hvm::FrameType::kSignal, hvm::wire::encode(static_cast<std::uint32_t>(number)));
    else if (number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP)
      throw base::Error("stopped by a signal before the guest was up");
    else
      early_signals_.push_back(number);
  }
}

void VmSession::send_window_size() {
  const auto size = attach::own_window_size();
  if (started_ && request_.terminal && size)
    send(hvm::FrameType::kResize,
         hvm::wire::encode(hvm::TerminalSize{.rows = size->rows, .columns = size->columns}));
}

void VmSession::send(hvm::FrameType type, std::string payload) {
  const std::string bytes =
      hvm::encode_frame({.type = type, .request = kRequest, .payload = std::move(payload)});
  base::write_all(control_.get(), bytes, "the connection to the guest");
}

void VmSession::take_connection() {
  while (auto connection = monitor_.accept()) {
    if (connection->port == hvm::kControlPort && !control_)
      control_ = std::move(connection->socket);
    else if (connection->port == hvm::kStreamPort && greeting_.size() + pumps_.size() < kMostStreams)
      greeting_.push_back(std::move(connection->socket));
    // Any other closes here: the guest has no business with it.
  }
}

void VmSession::add_stream(base::UniqueFd socket) {
  std::array<char, hvm::kStreamHelloBytes> bytes{};
  if (::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) != static_cast<ssize_t>(bytes.size()))
    return;
  const auto hello = hvm::wire::decode<hvm::StreamHello>({bytes.data(), bytes.size()});
  if (!hello || hello->request != kRequest)
    return;
  unblock(socket.get());
  const auto output = [&](int target) {
    outputs_.push_back(pumps_.size());
    pumps_.emplace_back(copy_of(socket.get()), copy_of(target), hvm::Pump::Target::kShared);
  };
  const auto input = [&] {
    pumps_.emplace_back(copy_of(STDIN_FILENO), copy_of(socket.get()), hvm::Pump::Target::kOwn);
  };
  switch (hello->kind) {
    case hvm::StreamKind::kOutput:
      output(STDOUT_FILENO);
      break;
    case hvm::StreamKind::kError:
      output(STDERR_FILENO);
      break;
    case hvm::StreamKind::kInput:
      if (request_.input)
        input();
      break;
    case hvm::StreamKind::kTerminal:
      if (!request_.terminal)
        break;
      output(STDOUT_FILENO);
      if (request_.input)
        input();
      break;
  }
}

void VmSession::take_frames() {
  std::array<char, 16384> bytes;
  const ssize_t got = ::recv(control_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    control_.reset();
    if (!end_)
      throw base::Error("the guest's agent is gone, and its process with it");
    return;
  }
  reader_.append({bytes.data(), static_cast<std::size_t>(got)});
  while (const auto frame = reader_.next())
    handle(*frame);
  if (reader_.broken())
    throw base::Error("the guest's agent sent what is no frame");
}

void VmSession::handle(const hvm::Frame& frame) {
  switch (frame.type) {
    case hvm::FrameType::kReady: {
      const auto ready = hvm::wire::decode<hvm::Ready>(frame.payload);
      if (!ready || ready->version != hvm::kProtocolVersion)
        throw base::Error("the guest's agent speaks another version of the protocol than this trine", 0,
                          "trine and trine-agent belong together");
      if (!ready_)
        send(hvm::FrameType::kStart, hvm::wire::encode(request_));
      ready_ = true;
      break;
    }
    case hvm::FrameType::kStarted:
      started_ = true;
      send_window_size();
      for (const int number : early_signals_)
        send(hvm::FrameType::kSignal, hvm::wire::encode(static_cast<std::uint32_t>(number)));
      early_signals_.clear();
      break;
    case hvm::FrameType::kFailed: {
      const auto failure = hvm::wire::decode<hvm::Failure>(frame.payload);
      if (!failure)
        throw base::Error("the guest's agent cannot start the process, and does not say why");
      if (failure->exit_code == 126 || failure->exit_code == 127)
        throw isolation::ExecError(failure->message, failure->errno_value, failure->hint,
                                   failure->exit_code == 127);
      throw base::Error("in the guest: " + failure->message, failure->errno_value, failure->hint);
    }
    case hvm::FrameType::kExit:
      if (const auto exit = hvm::wire::decode<hvm::Exit>(frame.payload); exit && frame.request == kRequest)
        end_ = VmEnd{.code = static_cast<int>(exit->code & 0xffU), .oom_killed = exit->oom_killed};
      break;
    default:
      throw base::Error("the guest's agent sent a frame of an unknown type");
  }
}

void VmSession::report_machine_end() {
  const base::ExitStatus status = monitor_.process().wait();
  const auto* const known =
      std::ranges::find_if(kMachineEnds, [&](const MachineEnd& end) { return end.code == status.code; });
  const std::string why = known == kMachineEnds.end() ? "its monitor failed" : std::string(known->text);
  throw base::Error((ready_ ? "the instance ended: " : "the instance did not come up: ") + why);
}

void VmSession::report_no_boot() {
  // The monitor shows the console's last lines for this signal.
  monitor_.process().signal(SIGQUIT);
  monitor_.process().wait();
  throw base::Error("the instance did not come up: its guest said nothing for " +
                        std::to_string(boot_limit_.count()) + " s",
                    0, "trine check tells whether this host can run guests");
}

}  // namespace trine::runtime::backend
