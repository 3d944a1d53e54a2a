#include "cgroups/oom.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "directory.h"
#include "figures.h"

namespace trine::cgroups {
namespace {

constexpr const char* kOomControl = "memory.oom_control";
constexpr const char* kMemoryEvents = "memory.events";

/// A view of a directory that someone else holds open.
std::optional<std::string> read_file(int directory, const char* file) {
  Directory view{.path = {}, .v2 = false, .fd = base::UniqueFd(::openat(directory, ".", O_PATH | O_CLOEXEC))};
  return view.fd ? view.read(file) : std::nullopt;
}

std::uint64_t value_of(const std::map<std::string, std::uint64_t>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? 0 : found->second;
}

}  // namespace

OomWatch::OomWatch(const Group& group) {
  for (const auto& directory : group.directories_) {
    if (!directory.has(directory.v2 ? kMemoryEvents : kOomControl))
      continue;
    path_ = directory.path;
    v2_ = directory.v2;
    directory_.reset(::openat(directory.fd.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (!directory_) {
    throw base::Error("cannot wait for an instance to run out of memory: its group has no memory controller",
                      ENOENT, "start it with a memory limit, or as an engine does, with a group everywhere");
  }
  v2_ ? watch_v2() : watch_v1();
  last_ = count().value_or(Counters{});
}

void OomWatch::watch_v2() {
  fd_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd_)
    base::throw_errno("cannot watch " + path_, "sysctl fs.inotify.max_user_instances limits such watches");
  for (const char* const file : {kMemoryEvents, "cgroup.events"}) {
    // inotify takes no descriptor, and the path may have become another group's.
    const auto path = "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + file;
    if (::inotify_add_watch(fd_.get(), path.c_str(), IN_MODIFY | IN_DELETE_SELF) < 0)
      base::throw_errno("cannot watch " + path_ + "/" + file);
  }
}

void OomWatch::watch_v1() {
  fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const base::UniqueFd control(::openat(directory_.get(), kOomControl, O_RDONLY | O_CLOEXEC));
  const base::UniqueFd request(::openat(directory_.get(), "cgroup.event_control", O_WRONLY | O_CLOEXEC));
  const auto text = std::to_string(fd_.get()) + " " + std::to_string(control.get());
  const bool written = fd_ && control && request && ::write(request.get(), text.data(), text.size()) >= 0;
  if (!written)
    base::throw_errno("cannot watch " + path_ + "/" + kOomControl,
                      "a kernel with CONFIG_PREEMPT_RT has no such watch on cgroup v1");
}

std::optional<OomWatch::Counters> OomWatch::count() const {
  const auto text = read_file(directory_.get(), v2_ ? kMemoryEvents : kOomControl);
  if (!text)
    return std::nullopt;
  const auto values = parse_keyed(*text);
  return Counters{.events = value_of(values, "oom"), .kills = value_of(values, "oom_kill")};
}

bool OomWatch::has_processes() const {
  const auto text = read_file(directory_.get(), "cgroup.events");
  return text && value_of(parse_keyed(*text), "populated") != 0;
}

std::uint64_t OomWatch::drain() const {
  std::uint64_t signals = 0;
  if (!v2_) {
    // One eventfd counts all of them in one number.
    return ::read(fd_.get(), &signals, sizeof signals) == sizeof signals ? signals : 0;
  }
  alignas(inotify_event) std::array<char, 4096> buffer{};
  while (::read(fd_.get(), buffer.data(), buffer.size()) > 0)
    ++signals;
  return signals;
}

OomNews OomWatch::read() {
  const std::uint64_t signals = drain();
  const auto now = count();
  if (!now)
    return {.events = 0, .kills = 0, .ended = true};
  OomNews news{.events = now->events - last_.events, .kills = now->kills - last_.kills};
  if (v2_) {
    news.ended = signals > 0 && !has_processes();
  } else {
    news.events = signals;  // v1 keeps no counter of them
  }
  last_ = *now;
  return news;
}

}  // namespace trine::cgroups
