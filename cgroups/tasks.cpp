#include "tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/text.h"

namespace trine::cgroups {
namespace {

constexpr long kPatienceUs = 2'000'000;
constexpr long kLongestStepUs = 50'000;
/// Above the text of as many processes as a machine can have (pid_max: 4 Mi).
constexpr std::size_t kTaskListLimit = 64 << 20;

/// A cgroup's link count is two and one for each group below: most often there is none, and nothing to list.
bool has_groups_below(const Directory& group) {
  struct stat status{};
  return ::fstat(group.fd.get(), &status) != 0 || status.st_nlink != 2;
}

/// Calls `visit` for the directory and every group below it that a path can name.
void walk(const Directory& top, const std::function<void(const Directory&)>& visit) {
  std::vector<std::string> pending = {"."};
  while (!pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    Directory group{.path = top.path + "/" + path, .v2 = top.v2, .fd = {}};
    group.fd.reset(::openat(top.fd.get(), path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!group.fd)
      continue;  // it went away
    visit(group);
    if (!has_groups_below(group))
      continue;
    for (auto& name : entries(group.fd.get(), DT_DIR, std::numeric_limits<std::size_t>::max())) {
      pending.push_back(path + "/" + name);
    }
  }
}

/// Sends SIGKILL to those of `pids` that are still in the group once they are held by their pidfds.
void kill_batch(const Directory& directory, std::span<const pid_t> pids) {
  std::vector<std::pair<pid_t, base::UniqueFd>> held;
  for (const pid_t pid : pids) {
    base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd)
      held.emplace_back(pid, std::move(pidfd));
  }
  auto present = all_processes(directory);
  std::ranges::sort(present);
  for (const auto& [pid, pidfd] : held) {
    if (std::ranges::binary_search(present, pid)) {
      ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);  // fails only when it has ended
    }
  }
}

}  // namespace

std::vector<pid_t> all_processes(const Directory& directory) {
  std::vector<pid_t> pids;
  walk(directory, [&pids](const Directory& group) {
    // A threaded group has no list of its own: its processes are in the list of the group above it.
    const auto text = group.read("cgroup.procs", kTaskListLimit);
    if (!text)
      return;
    for (const auto& line : base::split(*text, '\n', base::SplitEmpty::kSkip)) {
      // 0 stands for a process outside our pid namespace.
      const auto pid = base::parse_unsigned(line).value_or(0);
      if (pid != 0)
        pids.push_back(static_cast<pid_t>(pid));
    }
  });
  return pids;
}

std::uint64_t count_tasks(const Directory& directory) {
  std::uint64_t tasks = 0;
  walk(directory, [&tasks](const Directory& group) {
    const auto text = group.read(group.v2 ? "cgroup.threads" : "tasks", kTaskListLimit);
    if (text)
      tasks += static_cast<std::uint64_t>(std::ranges::count(*text, '\n'));
  });
  return tasks;
}

bool kill_processes(const Directory& directory) {
  constexpr std::size_t kBatch = 128;  // descriptors at a time
  const auto pids = all_processes(directory);
  for (std::size_t i = 0; i < pids.size(); i += kBatch) {
    kill_batch(directory, std::span(pids).subspan(i, std::min(kBatch, pids.size() - i)));
  }
  return !pids.empty();
}

bool remove_groups_below(const Directory& directory) {
  base::UniqueFd current(::openat(directory.fd.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> way;
  while (current) {
    const auto child = entries(current.get(), DT_DIR, 1);
    if (!child.empty()) {
      way.push_back(child.front());
      current.reset(
          ::openat(current.get(), way.back().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      continue;
    }
    if (way.empty())
      return true;
    base::UniqueFd parent(::openat(current.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent)
      return false;  // no descriptor is left
    if (::unlinkat(parent.get(), way.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      return false;
    way.pop_back();
    current = std::move(parent);
  }
  return false;  // a group went away on the way: look again
}

Patience::Patience(const Directory& directory) {
  if (directory.v2)
    events_.reset(::openat(directory.fd.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
}

bool Patience::wait() {
  if (waited_us_ >= kPatienceUs)
    return false;
  const timespec step{.tv_sec = 0, .tv_nsec = next_us_ * 1'000};
  // Reading arms the poll: only a later change ends it. It fails when the group is gone.
  std::array<char, 128> text{};
  if (events_ && ::pread(events_.get(), text.data(), text.size(), 0) < 0)
    events_.reset();
  if (events_) {
    pollfd change{.fd = events_.get(), .events = POLLPRI, .revents = 0};
    ::ppoll(&change, 1, &step, nullptr);
  } else {
    ::nanosleep(&step, nullptr);
  }
  waited_us_ += next_us_;
  next_us_ = std::min(next_us_ * 2, kLongestStepUs);
  return true;
}

}  // namespace trine::cgroups
