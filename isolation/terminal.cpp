#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/in_root.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr mode_t kTerminalMode = 0620;

struct Terminal {
  base::UniqueFd master;
  base::UniqueFd peer;
};

/// A new pseudo-terminal of the container's own devpts. The peer comes from the master, never by its name in
/// /dev/pts, which the image or a racing process may have put to another use (CVE-2025-52565).
Terminal open_terminal(int root) {
  Terminal terminal;
  terminal.master =
      base::try_open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, base::Symlinks::kRefuse);
  if (!terminal.master) {
    base::throw_errno("cannot open a terminal in the container",
                      errno == ENOENT ? "a terminal needs a devpts mount on /dev/pts" : "");
  }
  int unlock = 0;
  if (::ioctl(terminal.master.get(), TIOCSPTLCK, &unlock) != 0)
    base::throw_errno("cannot unlock the terminal");
  terminal.peer.reset(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.peer)
    base::throw_errno("cannot open the container's end of the terminal");
  return terminal;
}

void set_window_size(int peer, const WindowSize& size) {
  winsize raw{};
  raw.ws_row = size.rows;
  raw.ws_col = size.columns;
  if (::ioctl(peer, TIOCSWINSZ, &raw) != 0)
    base::throw_errno("cannot set the size of the terminal");
}

void leave_lines_alone(int peer) {
  termios mode{};
  if (::tcgetattr(peer, &mode) != 0)
    base::throw_errno("cannot read the mode of the terminal");
  mode.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  if (::tcsetattr(peer, TCSANOW, &mode) != 0)
    base::throw_errno("cannot set the mode of the terminal");
}

/// /dev/console is the terminal, by a bind mount on an empty file. What the image has there is taken only
/// when it is a plain file: never a symlink.
void mount_console(int root, int peer) {
  const base::UniqueFd dev =
      base::try_open_in_root(root, "/dev", O_PATH | O_DIRECTORY, 0, base::Symlinks::kRefuse);
  if (!dev)
    base::throw_errno("cannot open /dev of the container");
  const base::UniqueFd made(
      ::openat(dev.get(), "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, kTerminalMode));
  const base::UniqueFd target(::openat(dev.get(), "console", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!target || ::fstat(target.get(), &status) != 0)
    base::throw_errno("cannot make /dev/console");
  if (S_ISLNK(status.st_mode)) {
    throw base::Error("cannot make /dev/console: the root file system has a symlink there");
  }
  // The path of a descriptor is not looked up again: it leads to the very file that is open.
  const base::UniqueFd tree = clone_tree(AT_FDCWD, base::fd_path(peer), false);
  attach(tree.get(), target.get(), "/dev/console");
}

/// `console`: it becomes /dev/console too.
void give_terminal(Context& context, bool console) {
  const Process& process = context.plan.process;
  if (!process.terminal)
    return;
  const Terminal terminal = open_terminal(context.root.get());
  if (process.window_size)
    set_window_size(terminal.peer.get(), *process.window_size);
  if (process.plain_lines)
    leave_lines_alone(terminal.peer.get());
  if (::fchown(terminal.peer.get(), context.user.uid, static_cast<gid_t>(-1)) != 0) {
    base::throw_errno("cannot give the terminal to user " + std::to_string(context.user.uid));
  }
  if (console)
    mount_console(context.root.get(), terminal.peer.get());
  context.channel.send(MessageKind::kTerminal, terminal.master.get());
  // The session has no controlling terminal yet (run_steps has made it): this becomes it.
  if (::ioctl(terminal.peer.get(), TIOCSCTTY, 0) != 0)
    base::throw_errno("cannot take the terminal");
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(terminal.peer.get(), fd) < 0)
      base::throw_errno("cannot connect to the terminal");
  }
}

}  // namespace

void attach_terminal(Context& context) {
  give_terminal(context, true);
}

void attach_joined_terminal(Context& context) {
  give_terminal(context, false);
}

}  // namespace trine::isolation
