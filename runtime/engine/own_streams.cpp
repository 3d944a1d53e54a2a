#include "own_streams.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

namespace trine::runtime::engine {
namespace {

/// In the child: only the terminal stays with it, as descriptor 0.
[[noreturn]] void read_terminal(int master, int null) {
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(master, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0 || ::dup2(null, STDERR_FILENO) < 0)
    ::_exit(1);
  ::syscall(SYS_close_range, 3, ~0U, 0);
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got == 0 || (got < 0 && errno != EINTR))
      ::_exit(0);
  }
}

}  // namespace

void empty_standard_input() {
  const base::UniqueFd null = base::open_file("/dev/null", O_RDONLY);
  if (::dup2(null.get(), STDIN_FILENO) < 0)
    base::throw_errno("cannot empty the standard input");
}

SilentStreams::SilentStreams() {
  const base::UniqueFd null = base::open_file("/dev/null", O_RDWR);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    base::UniqueFd& before = before_[static_cast<std::size_t>(fd)];
    before.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!before || ::dup2(null.get(), fd) < 0)
      base::throw_errno("cannot put the standard streams aside");
  }
}

SilentStreams::~SilentStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (before_[static_cast<std::size_t>(fd)])
      ::dup2(before_[static_cast<std::size_t>(fd)].get(), fd);
  }
}

void leave_terminal_reader(base::UniqueFd master) {
  const base::UniqueFd null = base::open_file("/dev/null", O_RDWR);
  if (!base::clone_process({}))
    read_terminal(master.get(), null.get());
}

}  // namespace trine::runtime::engine
