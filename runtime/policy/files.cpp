#include "runtime/policy/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace trine::runtime::policy {
namespace {

constexpr std::size_t kMaxFiles = 1024;
constexpr const char* kNoRun = "nothing runs until it can be read: trine policy check";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

[[noreturn]] void refuse(const std::string& path, const std::string& what, const std::string& hint) {
  throw base::Error("the isolation policy " + path + " " + what, 0, hint);
}

/// Only who may say what the policy is may write to where it stands.
void require_trusted(const std::string& path, const struct stat& status, std::uint32_t owner) {
  constexpr mode_t kOthers = S_IWGRP | S_IWOTH;
  if (status.st_uid != 0 && status.st_uid != owner) {
    refuse(path, "belongs to user " + std::to_string(status.st_uid) + ", who may change what it says",
           "chown " + std::to_string(owner) + " " + path);
  }
  if ((status.st_mode & kOthers) != 0)
    refuse(path, "can be written to by others than its owner", "chmod go-w " + path);
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0)
    base::throw_errno("cannot look at the isolation policy " + path, kNoRun);
  return status;
}

bool is_policy_file(std::string_view name) {
  return name.ends_with(".json") && !name.starts_with('.');
}

std::vector<std::string> list(DIR* directory, const std::string& path) {
  std::vector<std::string> files;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (is_policy_file(entry->d_name))
      files.push_back(path + "/" + entry->d_name);
    errno = 0;
  }
  if (errno != 0)
    base::throw_errno("cannot read the isolation policy " + path, kNoRun);
  if (files.size() > kMaxFiles)
    refuse(path, "has more than " + std::to_string(kMaxFiles) + " files", "put the rules into fewer files");
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::string own_directory() {
  constexpr const char* kBelow = "/trine/isolation.d";
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/')
    return std::string(config) + kBelow;
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.config" + kBelow : std::string();
}

std::optional<std::vector<std::string>> policy_files(const std::string& directory, std::uint32_t owner) {
  base::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    struct stat status{};
    // A file or a symlink in its place is no empty policy; HOME=/dev/null is none at all.
    const bool is_there = ::lstat(directory.c_str(), &status) == 0;
    if (!is_there && (error == ENOENT || error == ENOTDIR))
      return std::nullopt;
    throw base::Error("cannot open the isolation policy " + directory, error, kNoRun);
  }
  require_trusted(directory, status_of(fd.get(), directory), owner);
  struct stat above{};
  if (::fstatat(fd.get(), "..", &above, 0) != 0)
    base::throw_errno("cannot look at the directory above " + directory, kNoRun);
  require_trusted(directory + "/..", above, owner);
  const std::unique_ptr<DIR, CloseDirectory> open(::fdopendir(fd.get()));
  if (!open)
    base::throw_errno("cannot read the isolation policy " + directory, kNoRun);
  (void)fd.release();  // closedir() closes it
  return list(open.get(), directory);
}

std::string read_policy_file(const std::string& path, std::uint32_t owner) {
  // Not blocking: a pipe in its place is refused below.
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ELOOP)
    refuse(path, "is a symlink", "put the file itself there");
  if (!fd)
    base::throw_errno("cannot open the isolation policy " + path, kNoRun);
  const struct stat status = status_of(fd.get(), path);
  if (!S_ISREG(status.st_mode))
    refuse(path, "is no file", "put a file of rules there, or call it something other than *.json");
  require_trusted(path, status, owner);
  return base::read_all(fd.get(), path, kMaxFile);
}

std::optional<IsolationPolicy> load_policy(const std::string& directory, std::uint32_t owner) {
  const auto files = policy_files(directory, owner);
  if (!files)
    return std::nullopt;
  IsolationPolicy policy;
  for (const std::string& file : *files)
    add_rules(read_policy_file(file, owner), file, policy);
  return policy;
}

std::vector<IsolationPolicy> load_policies() {
  std::vector<IsolationPolicy> policies;
  if (auto policy = load_policy(kSystemDirectory, 0))
    policies.push_back(std::move(*policy));
  const std::string own = own_directory();
  if (own.empty() || own == kSystemDirectory)
    return policies;
  if (auto policy = load_policy(own, ::geteuid()))
    policies.push_back(std::move(*policy));
  return policies;
}

}  // namespace trine::runtime::policy
