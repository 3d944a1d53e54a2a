#include "terminal_pump.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "runtime/attach/attach.h"

namespace trine::runtime::attach {
namespace {

constexpr char kEndOfInput = 4;  // VEOF, ^D

bool would_block(int error) {
  return error == EAGAIN || error == EINTR;
}

}  // namespace

TerminalPump::TerminalPump(base::UniqueFd master, bool interactive)
    : master_(std::move(master)), input_open_(interactive) {
  ::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
}

void TerminalPump::prepare(std::array<pollfd, kWaits>& waits) const {
  const bool want_input = input_open_ && input_.empty();
  waits[0] = {.fd = want_input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
  waits[1] = {.fd = output_.empty() ? -1 : STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  short events = 0;
  if (output_.empty())
    events |= POLLIN;
  if (!input_.empty())
    events |= POLLOUT;
  waits[2] = {.fd = master_open_ && events != 0 ? master_.get() : -1, .events = events, .revents = 0};
}

void TerminalPump::carry(const std::array<pollfd, kWaits>& waits) {
  if ((waits[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
    write_output();
  if ((waits[2].revents & POLLOUT) != 0)
    write_master();
  if ((waits[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && output_.empty())
    read_master();
  if ((waits[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
    read_input();
}

bool TerminalPump::read_master() {
  const ssize_t got = ::read(master_.get(), output_.data.data(), output_.data.size());
  if (got > 0) {
    output_.begin = 0;
    output_.end = static_cast<std::size_t>(got);
    return true;
  }
  // EIO: nobody has the other end open any more.
  if (got == 0 || !would_block(errno))
    master_open_ = false;
  return false;
}

void TerminalPump::write_output() {
  // What poll() promises room for in a pipe; more might block us, and with us the signals.
  const std::size_t size = std::min<std::size_t>(output_.end - output_.begin, PIPE_BUF);
  const ssize_t put = ::write(STDOUT_FILENO, output_.data.data() + output_.begin, size);
  if (put > 0) {
    output_.begin += static_cast<std::size_t>(put);
  } else if (put < 0 && !would_block(errno)) {
    output_ = {};
    base::throw_errno("cannot write the instance's output");
  }
}

void TerminalPump::read_input() {
  const ssize_t got = ::read(STDIN_FILENO, input_.data.data(), input_.data.size());
  input_.begin = 0;
  if (got > 0) {
    input_.end = static_cast<std::size_t>(got);
    line_begun_ = input_.data[input_.end - 1] != '\n';
    return;
  }
  if (got < 0 && would_block(errno))
    return;
  input_open_ = false;
  type_end();
}

/// The end of a file or a pipe becomes what a person would type; in a begun line the first ends only that.
void TerminalPump::type_end() {
  input_.begin = 0;
  input_.end = line_begun_ ? 2 : 1;
  std::fill_n(input_.data.begin(), input_.end, kEndOfInput);
  repeat_end_ = true;
}

/// A shell that changes the terminal's mode after we typed the end does not see it. The input stays at its
/// end, so to say it again, ever more rarely, is no lie.
void TerminalPump::on_timeout() {
  constexpr int kRarest = 3200;
  end_interval_ = std::min(end_interval_ * 2, kRarest);
  line_begun_ = false;
  if (input_.empty())
    type_end();
}

void TerminalPump::write_master() {
  const ssize_t put = ::write(master_.get(), input_.data.data() + input_.begin, input_.end - input_.begin);
  if (put > 0) {
    input_.begin += static_cast<std::size_t>(put);
  } else if (put < 0 && !would_block(errno)) {
    input_.begin = input_.end;
    input_open_ = false;
  }
}

void TerminalPump::drain() {
  do {
    while (!output_.empty()) {
      pollfd ready{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
      write_output();
    }
  } while (master_open_ && read_master());
}

void TerminalPump::resize() const {
  const auto ours = own_window_size();
  if (!ours)
    return;
  winsize size{};
  size.ws_row = ours->rows;
  size.ws_col = ours->columns;
  ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

}  // namespace trine::runtime::attach
