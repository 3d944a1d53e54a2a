#include "supervisor.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace trine::runtime::supervisor {
namespace {

constexpr std::array kPassedOn{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

base::UniqueFd open_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : kPassedOn)
    ::sigaddset(&signals, number);
  // Whoever started us may have held back more.
  if (::sigprocmask(SIG_SETMASK, &signals, nullptr) != 0)
    base::throw_errno("cannot hold back signals");
  base::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd)
    base::throw_errno("cannot listen for signals");
  return fd;
}

void stop_blocking(int fd) {
  if (fd >= 0 && ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
    base::throw_errno("cannot prepare the instance's streams");
}

}  // namespace

Supervisor::Supervisor(Ward ward)
    : ward_(std::move(ward)), clients_(std::move(ward_.listener)), signals_(open_signals()) {
  if (!ward_.log.path.empty())
    log_.emplace_back(ward_.log);
  if (ward_.terminal) {
    sources_.push_back({.fd = ward_.terminal.get(), .stream = "stdout", .kind = Message::kOutput});
  } else {
    sources_.push_back({.fd = ward_.output.get(), .stream = "stdout", .kind = Message::kOutput});
    sources_.push_back({.fd = ward_.errors.get(), .stream = "stderr", .kind = Message::kErrors});
  }
  for (const Source& source : sources_)
    stop_blocking(source.fd);
  stop_blocking(ward_.input.get());
  stop_blocking(ward_.client.get());
  if (ward_.client)
    clients_.add(std::move(ward_.client));
}

base::ExitStatus Supervisor::run() {
  constexpr int kPatienceMs = 2000;
  while (step()) {
  }
  const base::ExitStatus status = ward_.process.wait();
  drain();
  clients_.end(status.code, kPatienceMs);
  return status;
}

/// False when the process has ended.
bool Supervisor::step() {
  // Who cannot take more output keeps the instance from writing it; a process that takes no input keeps
  // clients from sending it.
  const bool can_show = clients_.are_ready();
  std::vector<pollfd> waits{{.fd = ward_.process.pidfd(), .events = POLLIN, .revents = 0},
                            {.fd = signals_.get(), .events = POLLIN, .revents = 0},
                            {.fd = typed_.empty() ? -1 : input_fd(), .events = POLLOUT, .revents = 0}};
  const std::size_t first_source = waits.size();
  for (const Source& source : sources_)
    waits.push_back({.fd = can_show ? source.fd : -1, .events = POLLIN, .revents = 0});
  const std::size_t first_client = waits.size();
  clients_.prepare(waits, typed_.empty());
  if (::poll(waits.data(), waits.size(), -1) < 0) {
    if (errno == EINTR)
      return true;
    base::throw_errno("cannot wait for the instance");
  }
  if (waits[1].revents != 0)
    pass_on_signals();
  if (waits[2].revents != 0)
    type();
  const std::vector<Source> sources = sources_;  // one may end meanwhile
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (waits[first_source + i].revents != 0)
      carry(sources[i]);
  }
  clients_.act(waits, first_client, [this](Message kind, std::string_view bytes) { handle(kind, bytes); });
  return waits[0].revents == 0;
}

void Supervisor::carry(const Source& source) {
  const ssize_t size = ::read(source.fd, buffer_.data(), buffer_.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size <= 0)
    return close(source);
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
  if (!log_.empty())
    log_.front().append(source.stream, bytes);
  clients_.send(source.kind, bytes);
}

/// What stands in a pipe whose other end a process has left behind does not end.
void Supervisor::close(const Source& source) {
  std::erase_if(sources_, [&](const Source& other) { return other.fd == source.fd; });
}

void Supervisor::drain() {
  for (const Source& source : std::vector<Source>(sources_)) {
    const auto is_open = [&] {
      return std::ranges::any_of(sources_, [&](const Source& other) { return other.fd == source.fd; });
    };
    pollfd wait{.fd = source.fd, .events = POLLIN, .revents = 0};
    while (is_open() && ::poll(&wait, 1, 0) > 0)
      carry(source);
  }
}

void Supervisor::handle(Message kind, std::string_view bytes) {
  switch (kind) {
    case Message::kInput:
      if (input_fd() >= 0 && !input_ended_)
        typed_ += bytes;
      return type();
    case Message::kInputEnd:
      input_ended_ = true;
      return end_input();
    case Message::kResize:
      return resize(bytes);
    default:
      return;  // a client that says what a supervisor says
  }
}

void Supervisor::type() {
  if (typed_.empty())
    return;
  const ssize_t size = ::write(input_fd(), typed_.data(), typed_.size());
  if (size > 0)
    typed_.erase(0, static_cast<std::size_t>(size));
  else if (errno != EAGAIN && errno != EINTR)
    typed_.clear();  // nobody reads it any more
  end_input();
}

/// Not before all was taken. A terminal has no end.
void Supervisor::end_input() {
  if (input_ended_ && typed_.empty())
    ward_.input.reset();
}

void Supervisor::resize(std::string_view bytes) const {
  WindowSize size;
  if (!ward_.terminal || bytes.size() != sizeof size)
    return;
  std::memcpy(&size, bytes.data(), sizeof size);
  const winsize window{.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(ward_.terminal.get(), TIOCSWINSZ, &window);
}

void Supervisor::pass_on_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    ward_.process.signal(static_cast<int>(info.ssi_signo));
}

}  // namespace trine::runtime::supervisor
