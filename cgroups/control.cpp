#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "internal.h"
#include "removal.h"

/// What is done to a group that has processes: figures, freezing, killing.
namespace trine::cgroups {
namespace {

bool is_v2(const std::string& directory) {
  return ::access((directory + "/cgroup.type").c_str(), F_OK) == 0;
}

void add_stats(const Directory& directory, Stats& stats) {
  const auto take = [&](std::optional<std::uint64_t>& into, const char* file, std::uint64_t divisor = 1) {
    if (const auto value = directory.read_number(file); value && !into)
      into = *value / divisor;
  };
  take(stats.memory_bytes, "memory.current");
  take(stats.memory_bytes, "memory.usage_in_bytes");
  take(stats.memory_peak_bytes, "memory.peak");
  take(stats.memory_peak_bytes, "memory.max_usage_in_bytes");
  take(stats.pids, "pids.current");
  take(stats.cpu_usage_us, "cpuacct.usage", 1000);
  if (const auto text = directory.read("cpu.stat"); text && !stats.cpu_usage_us) {
    stats.cpu_usage_us = find_key(*text, "usage_usec");
  }
  for (const char* file : {"memory.events", "memory.oom_control"}) {
    if (const auto text = directory.read(file); text && !stats.oom_kills) {
      stats.oom_kills = find_key(*text, "oom_kill");
    }
  }
}

/// Kills what is in one group; true when there was anything.
bool kill_members(const std::string& directory) {
  const base::UniqueFd file(::open((directory + "/cgroup.procs").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return false;
  bool any = false;
  for (const auto& line :
       base::split(base::read_all(file.get(), directory, 64 << 20), '\n', base::SplitEmpty::kSkip)) {
    const auto pid = base::parse_unsigned(line);
    // 0 stands for a process of another pid namespace, which we cannot name.
    if (pid && *pid > 0)
      any = ::kill(static_cast<pid_t>(*pid), SIGKILL) == 0 || any;
  }
  return any;
}

void set_frozen(const std::vector<std::string>& directories, bool frozen) {
  for (const auto& path : directories) {
    const Directory directory(path);
    if (directory.has("cgroup.freeze")) {
      return directory.write("cgroup.freeze", frozen ? "1" : "0", "the freezer");
    }
    if (directory.has("freezer.state")) {
      return directory.write("freezer.state", frozen ? "FROZEN" : "THAWED", "the freezer");
    }
  }
  throw base::Error("cannot pause: the instance has no cgroup with a freezer", ENOENT);
}

}  // namespace

Stats Group::stats() const {
  Stats stats;
  for (const auto& path : directories_) {
    if (::access(path.c_str(), F_OK) == 0)
      add_stats(Directory(path), stats);
  }
  return stats;
}

void Group::freeze() const {
  set_frozen(directories_, true);
}
void Group::thaw() const {
  set_frozen(directories_, false);
}

void Group::kill_all() const {
  for (const auto& directory : directories_) {
    const std::string file = directory + "/cgroup.kill";
    if (is_v2(directory) && ::access(file.c_str(), F_OK) == 0) {
      base::write_value(file, "1");
      continue;
    }
    // Whoever forks while we read is met in the next round; the bound is against one that outruns us.
    constexpr int kMaxRounds = 100;
    bool any = true;
    for (int round = 0; any && round < kMaxRounds; ++round) {
      any = false;
      for (const auto& group : groups_below(directory))
        any = kill_members(group) || any;
      if (any)
        std::this_thread::yield();
    }
  }
}

}  // namespace trine::cgroups
