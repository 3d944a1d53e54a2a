#include "cgroups/group.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/in_root.h"
#include "controllers.h"
#include "directory.h"
#include "placeholder.h"
#include "tasks.h"

namespace trine::cgroups {
namespace {

[[noreturn]] void cannot_join(const std::string& directory, const std::string& who, int error) {
  std::string hint;
  if (error == ENOSPC)
    hint = "its cpuset has no CPUs or no memory nodes";
  if (error == EBUSY)
    hint = "a v2 group that gives controllers to groups below it takes no process itself";
  if (error == EACCES || error == EPERM)
    hint = "moving a process needs write access to its old group's parent too";
  throw base::Error("cannot move " + who + " into " + directory, error, std::move(hint));
}

/// Which of the kernel's two interfaces a directory belongs to; nothing when it is no cgroup.
std::optional<bool> is_v2(const Directory& directory) {
  struct statfs file_system{};
  if (::fstatfs(directory.fd.get(), &file_system) != 0)
    return std::nullopt;
  if (file_system.f_type == CGROUP2_SUPER_MAGIC)
    return true;
  if (file_system.f_type == CGROUP_SUPER_MAGIC)
    return false;
  return std::nullopt;
}

}  // namespace

Group::Group() = default;
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

void Group::settle() {
  if (!placeholder_)
    return;
  const std::optional<std::int64_t> pids_max = placeholder_->pids_max;
  placeholder_.reset();
  Limits limits;
  limits.pids_max = pids_max;
  update(*this, limits);
}

void Group::join_self(bool born) const {
  for (const auto& directory : directories_) {
    if (directory.v2 && born)
      continue;
    // "0" is the caller. v1's "tasks" takes one thread, which spares the kernel's lock on all of them.
    const int error = directory.try_write(directory.v2 ? "cgroup.procs" : "tasks", "0");
    if (error != 0)
      cannot_join(directory.path, "the new process", error);
  }
}

std::vector<base::UniqueFd> Group::join_files() const {
  std::vector<base::UniqueFd> files;
  for (const auto& directory : directories_) {
    if (directory.v2)
      continue;
    files.emplace_back(::openat(directory.fd.get(), "tasks", O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!files.back())
      cannot_join(directory.path, "the new process", errno);
  }
  return files;
}

void Group::join(pid_t pid, bool born) const {
  for (const auto& directory : directories_) {
    if (directory.v2 && born)
      continue;
    const int error = directory.try_write("cgroup.procs", std::to_string(pid));
    if (error != 0)
      cannot_join(directory.path, "process " + std::to_string(pid), error);
  }
}

std::optional<int> Group::birth_directory() const {
  for (const auto& directory : directories_) {
    if (directory.v2)
      return directory.fd.get();
  }
  return std::nullopt;
}

std::vector<std::string> Group::directories() const {
  std::vector<std::string> paths;
  paths.reserve(directories_.size());
  for (const auto& directory : directories_)
    paths.push_back(directory.path);
  return paths;
}

Stats Group::stats() const {
  Stats stats;
  for (const auto& directory : directories_) {
    for (const auto& controller : controllers()) {
      auto* const read = directory.v2 ? controller.stats_v2 : controller.stats_v1;
      if (read != nullptr)
        read(directory, stats);
    }
  }
  // Every directory knows its tasks, which is what the pids controller counts.
  if (!stats.pids && !directories_.empty())
    stats.pids = count_tasks(directories_.front());
  return stats;
}

void join_by(int file) {
  if (::write(file, "0", 1) == 1)
    return;
  const int error = errno;
  std::error_code ignored;
  cannot_join(std::filesystem::read_symlink(base::fd_path(file), ignored).parent_path(), "the new process",
              error);
}

Group open_group(const std::vector<std::string>& directories) {
  Group group;
  for (const auto& path : directories) {
    auto directory = open_directory(path, false);
    if (!directory.fd)
      continue;
    const auto v2 = is_v2(directory);
    if (!v2)
      continue;
    directory.v2 = *v2;
    group.directories_.push_back(std::move(directory));
  }
  return group;
}

}  // namespace trine::cgroups
