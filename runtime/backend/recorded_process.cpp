#include "runtime/backend/recorded_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "base/process.h"

namespace trine::runtime::backend {
namespace {

base::UniqueFd open_recorded(pid_t pid, std::uint64_t start_time, bool also_ended) {
  if (pid <= 0)
    return {};
  base::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Asked after it is open: the number cannot go to another process any more.
  const base::ProcessInfo info = base::process_info(pid);
  if (!process || info.start_time != start_time || (info.ended && !also_ended))
    return {};
  return process;
}

}  // namespace

base::UniqueFd open_process(pid_t pid, std::uint64_t start_time) {
  return open_recorded(pid, start_time, false);
}

base::UniqueFd open_rest_of_process(pid_t pid, std::uint64_t start_time) {
  return open_recorded(pid, start_time, true);
}

bool send_signal(int pidfd, int number, const std::string& object) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0)
    return true;
  if (errno != ESRCH)
    base::throw_errno("cannot send the signal to " + object);
  return false;
}

bool wait_for_end(int pidfd, int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  int left = timeout_ms;
  for (;;) {
    pollfd waiter{.fd = pidfd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiter, 1, left);
    if (ready >= 0)
      return ready > 0;
    if (errno != EINTR)
      base::throw_errno("cannot wait for a process");
    if (timeout_ms >= 0) {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      left = rest.count() > 0 ? static_cast<int>(rest.count()) : 0;
    }
  }
}

}  // namespace trine::runtime::backend
