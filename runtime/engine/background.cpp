#include "background.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/pipe.h"
#include "base/socket.h"
#include "layout.h"
#include "runtime/engine/run.h"
#include "runtime/supervisor/attach_protocol.h"

namespace trine::runtime::engine {
namespace {

constexpr int kMostWaiting = 16;  ///< clients that are not accepted yet

struct Terminal {
  base::UniqueFd master;
  base::UniqueFd slave;
};

/// Source: pty(7), ioctl_tty(2).
Terminal make_terminal() {
  Terminal terminal{.master = base::open_file("/dev/ptmx", O_RDWR | O_NOCTTY)};
  int locked = 0;
  if (::ioctl(terminal.master.get(), TIOCSPTLCK, &locked) == 0)
    terminal.slave.reset(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave)
    base::throw_errno("cannot make a terminal");
  return terminal;
}

void put_in_place(int fd, int standard) {
  if (::dup2(fd, standard) < 0)
    base::throw_errno("cannot set a standard stream");
}

void keep_open(int fd) {
  if (::fcntl(fd, F_SETFD, 0) != 0)
    base::throw_errno("cannot hand a descriptor over");
}

std::string handed_over(const char* name, const base::UniqueFd& fd) {
  keep_open(fd.get());
  return std::string(name) + "=" + std::to_string(fd.get());
}

std::string own_program() {
  std::array<char, PATH_MAX> path{};
  if (::readlink("/proc/self/exe", path.data(), path.size() - 1) < 0)
    base::throw_errno("cannot find trine's own program");
  return path.data();
}

/// Closes what our caller has left open for us, a lock perhaps: an instance in the background would have it
/// for as long as it lives.
void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  int first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd > first)
      ::syscall(SYS_close_range, first, fd - 1, 0);
    first = std::max(first, fd + 1);
  }
  ::syscall(SYS_close_range, first, ~0U, 0);
}

/// What the supervisor executes in the end: see end_in_background().
void add_command(std::vector<std::string>& words, const Paths& paths, const Record& record,
                 const std::vector<int>& held) {
  words.insert(words.end(), {"--", own_program(), "__ended", paths.run, paths.lib, record.id});
  std::string list;
  for (const int fd : held) {
    keep_open(fd);
    list += (list.empty() ? "" : ",") + std::to_string(fd);
  }
  words.push_back(std::move(list));
}

/// From here on nothing that happens to our caller's terminal or session is ours.
void leave_session() {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, 0);
  const base::UniqueFd null = base::open_file("/dev/null", O_RDWR);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    put_in_place(null.get(), fd);
  (void)!::chdir("/");
}

}  // namespace

InnerStreams::InnerStreams(bool terminal, bool interactive) {
  std::array<base::UniqueFd, 3> inner;
  if (terminal) {
    auto [master, slave] = make_terminal();
    outer_.terminal = std::move(master);
    inner[0] = std::move(slave);
  } else {
    base::Pipe output = base::make_pipe();
    base::Pipe errors = base::make_pipe();
    base::Pipe input;
    if (interactive)
      input = base::make_pipe();
    else
      input.reader = base::open_file("/dev/null", O_RDONLY);
    inner = {std::move(input.reader), std::move(output.writer), std::move(errors.writer)};
    outer_ = {.output = std::move(output.reader),
              .errors = std::move(errors.reader),
              .input = std::move(input.writer)};
  }
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    before_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!before_.back())
      base::throw_errno("cannot put the standard streams aside");
  }
  for (int fd = STDIN_FILENO; const base::UniqueFd& end : inner)
    put_in_place(end ? end.get() : inner[0].get(), fd++);
}

InnerStreams::~InnerStreams() {
  for (int fd = STDIN_FILENO; const base::UniqueFd& before : before_)
    ::dup2(before.get(), fd++);
}

void Background::become_supervisor(const Paths& paths, const Record& record, const LogOptions& log,
                                   Ward ward) {
  const std::string directory = run_root(paths) + "/" + record.id;
  const base::UniqueFd listener =
      base::listen_unix(directory, supervisor::kAttachSocket, SOCK_SEQPACKET, kMostWaiting);
  const base::UniqueFd process(::fcntl(ward.process->pidfd(), F_DUPFD_CLOEXEC, 3));
  std::vector<std::string> words{base::find_helper("trine-supervisor"),
                                 "pid=" + std::to_string(ward.process->pid()),
                                 handed_over("process", process), handed_over("listener", listener)};
  if (ward.streams.terminal) {
    words.push_back(handed_over("terminal", ward.streams.terminal));
  } else {
    words.push_back(handed_over("output", ward.streams.output));
    words.push_back(handed_over("errors", ward.streams.errors));
    if (ward.streams.input)
      words.push_back(handed_over("input", ward.streams.input));
  }
  if (client_)
    words.push_back(handed_over("client", client_));
  if (log.is_kept) {
    // Here it is an error that somebody sees.
    (void)base::open_file(log_file(paths, record.id), O_WRONLY | O_CREAT | O_APPEND, 0600);
    words.push_back("log=" + log_file(paths, record.id));
    words.push_back("log-bytes=" + std::to_string(log.most_bytes));
    words.push_back("log-files=" + std::to_string(log.files));
  }
  add_command(words, paths, record, ward.held);
  leave_session();
  base::write_all(report_.get(), record.id, "the report to trine run");
  ::execv(words.front().c_str(), base::to_argv(words).data());
  base::throw_errno("cannot execute " + words.front());
}

Keeper::Keeper(Background& background, bool terminal, bool interactive) : streams_(terminal, interactive) {
  base::Pipe ready = base::make_pipe();
  ready_reader_ = std::move(ready.reader);
  ready_writer_ = std::move(ready.writer);
  child_ = base::clone_process({});
  if (is_child()) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ready_reader_.reset();
    background.forget();
    (void)streams_.take_outer();
  }
}

void Keeper::started() {
  ::setsid();
  streams_.stay();
  base::write_all(ready_writer_.get(), "runs", "the report to the supervisor");
  ready_writer_.reset();
}

int Keeper::supervise(Background& background, const Paths& paths, const Record& record,
                      const LogOptions& log) {
  ready_writer_.reset();
  if (base::read_all(ready_reader_.get(), "what the VM's trine says", 16).empty())
    return child_.wait().code;
  background.become_supervisor(paths, record, log,
                               {.process = &child_, .streams = streams_.take_outer(), .held = {}});
}

Started start_in_background(const std::function<int(Background&)>& start, base::UniqueFd client) {
  base::Pipe report = base::make_pipe();
  // The terminal's signals reach the child too, which ends by them as long as nothing runs.
  sigset_t interrupts;
  sigset_t before;
  ::sigemptyset(&interrupts);
  ::sigaddset(&interrupts, SIGINT);
  ::sigaddset(&interrupts, SIGQUIT);
  ::sigprocmask(SIG_BLOCK, &interrupts, &before);
  base::Process child = base::clone_process({});
  if (!child) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    close_all_but({report.writer.get(), client.get()});
    Background background(std::move(report.writer), std::move(client));
    ::_exit(run_reporting([&] { return start(background); }));
  }
  report.writer.reset();
  client.reset();
  constexpr std::size_t kMostId = 256;
  Started started{.id = base::read_all(report.reader.get(), "what the instance's trine says", kMostId)};
  if (started.id.empty())
    started.code = child.wait().code;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace trine::runtime::engine
