#include "hvm-sandbox/pump.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace trine::hvm {

Pump::Pump(base::UniqueFd from, base::UniqueFd to, Target target)
    : from_(std::move(from)), to_(std::move(to)), target_(target) {}

void Pump::prepare(std::array<pollfd, kWaits>& waits) const {
  const bool has_room = !done_ && !ended_ && begin_ == end_;
  waits[0] = {.fd = has_room ? from_.get() : -1, .events = POLLIN, .revents = 0};
  // Without anything to write, its end is still of interest: the reader is gone.
  waits[1] = {
      .fd = done_ ? -1 : to_.get(), .events = static_cast<short>(begin_ < end_ ? POLLOUT : 0), .revents = 0};
}

void Pump::carry(const std::array<pollfd, kWaits>& waits) {
  if (done_)
    return;
  if (waits[0].revents != 0)
    read_some();
  if (begin_ < end_ && (waits[0].revents != 0 || waits[1].revents != 0))
    write_some();
  if (!done_ && ((waits[1].revents & (POLLERR | POLLNVAL)) != 0 || (ended_ && begin_ == end_)))
    stop();
}

void Pump::read_some() {
  const ssize_t got = ::read(from_.get(), buffer_.data(), buffer_.size());
  if (got > 0) {
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    ended_ = true;  // a terminal's end is an error: EIO
  }
}

void Pump::write_some() {
  if (target_ == Target::kShared) {
    pollfd wait{.fd = to_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, 0) <= 0)
      return;
  }
  const std::size_t most = target_ == Target::kShared ? PIPE_BUF : kBufferBytes;
  const ssize_t written = ::write(to_.get(), buffer_.data() + begin_, std::min(end_ - begin_, most));
  if (written >= 0)
    begin_ += static_cast<std::size_t>(written);
  else if (errno != EAGAIN && errno != EINTR)
    stop();
}

void Pump::stop() {
  if (done_)
    return;
  done_ = true;
  (void)::shutdown(to_.get(), SHUT_WR);  // fails on what is no socket, which is closed all the same
  to_.reset();
  from_.reset();
}

}  // namespace trine::hvm
