#include "vm_session.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace trine::runtime::backend {
namespace {

/// Streams that wait to be told apart: an agent opens three at once, for several commands.
constexpr std::size_t kMostGreetings = 16;
/// What a guest that takes nothing may keep us from sending.
constexpr std::size_t kMostUnsent = 4 << 20;
/// How long a killed instance has to say that it has ended, so that all of its output is had.
constexpr std::chrono::seconds kKillPatience(2);
/// How long a machine has to end whose agent is gone: a guest's kernel panics without it.
constexpr int kEndPatienceMs = 5000;
constexpr int kKilled = 128 + SIGKILL;

// Source: hvm-sandbox/monitor/exit_codes.h, as its caller understands it.
struct MachineEnd {
  int code;
  const char* text;
};
/// SIGSYS. Whoever has the monitor is no longer its program.
constexpr const char* kForbiddenCall = "its monitor made a call that its seccomp list forbids";
constexpr std::array kMachineEnds{
    MachineEnd{0, "its guest powered off"},         MachineEnd{10, "its guest rebooted"},
    MachineEnd{11, "its guest's kernel panicked"},  MachineEnd{12, "its guest's processor stopped"},
    MachineEnd{13, "its monitor was told to stop"}, MachineEnd{127, "its monitor could not be run"},
    MachineEnd{137, "its monitor was killed"},      MachineEnd{159, kForbiddenCall},
};

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point when) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(when - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) + 1 : 0;
}

/// The kernel's generator has 256 bits.
constexpr std::size_t kSeedBytes = 32;
static_assert(2 * kSeedBytes >= hvm::kLeastSeed && 2 * kSeedBytes <= hvm::kMostSeed);

std::uint64_t nanoseconds_since_1970() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

bool ends_a_start(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGQUIT || signal == SIGHUP;
}

}  // namespace

VmSession::VmSession(Monitor& monitor, const attach::SignalBlock& signals, const hvm::StartRequest& request,
                     VmSessionOptions options)
    : monitor_(monitor),
      request_(request),
      boot_limit_(options.boot_limit),
      network_(std::move(options.network)),
      deadline_(Clock::now() + boot_limit_),
      signals_(::signalfd(-1, &signals.signals(), SFD_CLOEXEC | SFD_NONBLOCK)),
      streams_(request.terminal, request.input),
      clients_(std::move(options.control)),
      tell_started_(std::move(options.on_started)),
      machine_(monitor),
      on_paused_(std::move(options.on_paused)) {
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
  return end_ && (given_up_ || streams_.drained());
}

/// In milliseconds, as poll(2) takes it; acts on what is due.
int VmSession::timeout() {
  int left = -1;
  if (!ready_) {
    left = milliseconds_until(deadline_);
    if (left == 0)
      report_no_boot();
  }
  if (kill_deadline_) {
    const int until_kill = milliseconds_until(*kill_deadline_);
    left = left < 0 ? until_kill : std::min(left, until_kill);
    if (until_kill == 0) {
      end_ = VmEnd{.code = kKilled};
      given_up_ = true;
    }
  }
  return left;
}

void VmSession::wait_once() {
  const int left = timeout();
  if (given_up_)
    return;
  const auto control_events = static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT);
  std::vector<pollfd> waits{{.fd = monitor_.process().pidfd(), .events = POLLIN, .revents = 0},
                            {.fd = signals_.get(), .events = POLLIN, .revents = 0},
                            {.fd = monitor_.channel(), .events = POLLIN, .revents = 0},
                            {.fd = control_.get(), .events = control_events, .revents = 0}};
  const std::size_t fixed = waits.size();
  streams_.prepare(waits);
  const std::size_t of_streams = waits.size() - fixed;
  clients_.prepare(waits);
  const std::size_t of_clients = waits.size() - fixed - of_streams;
  for (const base::UniqueFd& socket : greeting_)
    waits.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  if (::poll(waits.data(), waits.size(), left) < 0) {
    if (errno == EINTR)
      return;
    base::throw_errno("cannot wait for the instance");
  }
  const std::span<const pollfd> found(waits);
  streams_.carry(found.subspan(fixed, of_streams));
  clients_.carry(found.subspan(fixed + of_streams, of_clients));
  take_requests();
  if (found[1].revents != 0)
    take_signals();
  if (found[2].revents != 0)
    take_connections();
  take_greetings();
  if ((found[3].revents & POLLOUT) != 0)
    write_some();
  if ((found[3].revents & ~POLLOUT) != 0)
    take_frames();
  if (found[0].revents != 0 && !finished())
    report_machine_end();
}

void VmSession::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH)
      send_window_size();
    else
      deliver(number);
  }
}

void VmSession::deliver(int signal) {
  if (signal == SIGKILL) {
    const bool can_answer = started_ && !machine_.is_paused();
    kill_deadline_ = Clock::now() + (can_answer ? kKillPatience : std::chrono::seconds(0));
    if (!started_)
      return;
  }
  if (started_)
    send(hvm::FrameType::kSignal, hvm::wire::encode(static_cast<std::uint32_t>(signal)));
  else if (ends_a_start(signal))
    throw base::Error("stopped by a signal before the guest was up");
  else
    early_signals_.push_back(signal);
}

void VmSession::send_window_size() {
  const auto size = attach::own_window_size();
  if (started_ && request_.terminal && size)
    send(hvm::FrameType::kResize,
         hvm::wire::encode(hvm::TerminalSize{.rows = size->rows, .columns = size->columns}));
}

void VmSession::send(hvm::FrameType type, std::string payload, std::uint64_t process) {
  unsent_ += hvm::encode_frame({.type = type, .request = process, .payload = std::move(payload)});
  write_some();
}

/// A guest that does not read must not make us wait: what it does not take now, it gets when it does.
void VmSession::write_some() {
  const ssize_t sent = ::send(control_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0)
    unsent_.erase(0, static_cast<std::size_t>(sent));
  else if (errno != EAGAIN && errno != EINTR)
    unsent_.clear();  // its end is told by what is read
}

void VmSession::take_connections() {
  while (auto connection = monitor_.accept()) {
    if (connection->port == hvm::kControlPort && !control_)
      control_ = std::move(connection->socket);
    else if (connection->port == hvm::kStreamPort && greeting_.size() < kMostGreetings)
      greeting_.push_back(std::move(connection->socket));
    // Any other closes here: the guest has no business with it.
  }
  take_machine_answers();
}

void VmSession::take_machine_answers() {
  const bool was_paused = machine_.is_paused();
  std::vector<hvm::Frame> answers = machine_.take_answers();
  if (was_paused && !machine_.is_paused()) {
    send(hvm::FrameType::kSetTime, hvm::wire::encode(nanoseconds_since_1970()));
    send(hvm::FrameType::kReseed, hvm::wire::encode(base::random_hex(kSeedBytes)));
  }
  // First the record: who has the answer finds it there.
  if (was_paused != machine_.is_paused() && on_paused_)
    on_paused_(machine_.is_paused());
  for (hvm::Frame& answer : answers)
    clients_.give(std::move(answer));
}

void VmSession::take_greetings() {
  for (base::UniqueFd& socket : greeting_) {
    const StreamGreeting greeting = read_greeting(socket.get());
    if (!greeting.hello && !greeting.closed)
      continue;
    base::UniqueFd taken(socket.release());
    if (greeting.hello && greeting.hello->request == kFirstProcess)
      streams_.add(greeting.hello->kind, std::move(taken));
    else if (greeting.hello)
      clients_.give_stream(*greeting.hello, taken);
  }
  std::erase_if(greeting_, [](const base::UniqueFd& socket) { return !socket; });
}

/// What other commands ask for. Before the first process runs, it waits.
void VmSession::take_requests() {
  for (hvm::Frame& frame : clients_.take_requests()) {
    if (frame.request == kFirstProcess) {
      if (const auto number = hvm::wire::decode<std::uint32_t>(frame.payload))
        deliver(static_cast<int>(*number));
    } else if (!started_) {
      early_requests_.push_back(std::move(frame));
    } else if (const auto failure = refusal(frame)) {
      clients_.give({.type = hvm::FrameType::kFailed,
                     .request = frame.request,
                     .payload = hvm::wire::encode(*failure)});
    } else if (!machine_.take(frame)) {
      send(frame.type, std::move(frame.payload), frame.request);
    }
  }
  take_machine_answers();
}

std::optional<hvm::Failure> VmSession::refusal(const hvm::Frame& request) const {
  const bool is_question = request.type == hvm::FrameType::kExec || request.type == hvm::FrameType::kStats;
  if (machine_.is_paused() && is_question)
    return hvm::Failure{.message = "it is paused", .hint = "trine unpause lets it go on"};
  if (unsent_.size() + request.payload.size() > kMostUnsent)
    return hvm::Failure{.message = "it takes no commands"};
  return std::nullopt;
}

void VmSession::take_frames() {
  std::array<char, 16384> bytes;
  const ssize_t got = ::recv(control_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    control_.reset();
    if (!end_)
      report_lost_agent();
    return;
  }
  reader_.append({bytes.data(), static_cast<std::size_t>(got)});
  while (auto frame = reader_.next())
    handle(std::move(*frame));
  if (reader_.broken())
    throw base::Error("the guest's agent sent what is no frame");
}

void VmSession::handle(hvm::Frame frame) {
  if (frame.type == hvm::FrameType::kExit || frame.type == hvm::FrameType::kFailed) {
    // Its streams were opened before this was said, and are to be with whom they are for.
    take_connections();
    take_greetings();
  }
  if (frame.request != kFirstProcess && frame.type != hvm::FrameType::kReady)
    return handle_other(std::move(frame));
  switch (frame.type) {
    case hvm::FrameType::kReady:
      start(frame);
      break;
    case hvm::FrameType::kStarted:
      on_started();
      break;
    case hvm::FrameType::kFailed:
      throw_failure(frame.payload);
    case hvm::FrameType::kExit:
      take_exit(frame.payload);
      break;
    default:
      throw base::Error("the guest's agent sent a frame of an unknown type");
  }
}

void VmSession::take_exit(const std::string& payload) {
  const auto exit = hvm::wire::decode<hvm::Exit>(payload);
  if (!exit)
    throw base::Error("the guest's agent told of an end in a form that cannot be read");
  end_ = VmEnd{.code = exit_code_of(*exit), .oom_killed = exit->oom_killed};
}

/// About another command's process, which may be gone by now.
void VmSession::handle_other(hvm::Frame frame) {
  switch (frame.type) {
    case hvm::FrameType::kStarted:
    case hvm::FrameType::kFailed:
    case hvm::FrameType::kExit:
    case hvm::FrameType::kFigures:
      clients_.give(std::move(frame));
      break;
    default:
      throw base::Error("the guest's agent sent a frame of an unknown type");
  }
}

void VmSession::start(const hvm::Frame& frame) {
  const auto ready = hvm::wire::decode<hvm::Ready>(frame.payload);
  if (!ready || ready->version != hvm::kProtocolVersion)
    throw base::Error("the guest's agent speaks another version of the protocol than this trine", 0,
                      "trine and trine-agent belong together");
  if (!ready_ && !network_.empty())
    send(hvm::FrameType::kNet, network_);
  if (!ready_)
    send(hvm::FrameType::kStart, hvm::wire::encode(request_));
  ready_ = true;
}

void VmSession::on_started() {
  if (started_)
    return;
  started_ = true;
  if (tell_started_)
    tell_started_();
  send_window_size();
  for (const int number : std::exchange(early_signals_, {}))
    deliver(number);
  for (hvm::Frame& frame : std::exchange(early_requests_, {}))
    send(frame.type, std::move(frame.payload), frame.request);
}

void VmSession::report_machine_end() {
  const base::ExitStatus status = monitor_.process().wait();
  const auto* const known =
      std::ranges::find_if(kMachineEnds, [&](const MachineEnd& end) { return end.code == status.code; });
  const std::string why = known == kMachineEnds.end() ? "its monitor failed" : std::string(known->text);
  throw base::Error((ready_ ? "the instance ended: " : "the instance did not come up: ") + why);
}

void VmSession::report_lost_agent() {
  pollfd wait{.fd = monitor_.process().pidfd(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, kEndPatienceMs) > 0)
    report_machine_end();
  throw base::Error("the guest's agent is gone, and its process with it");
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
