#include "base/in_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace trine::base {
namespace {

// A racing rename makes the kernel answer EAGAIN rather than guess; a hostile one could do so for ever.
constexpr int kMaxRetries = 128;
constexpr int kMaxLinks = 40;  // symlinks on one way, as the kernel has it

}  // namespace

UniqueFd try_open_in_root(int root, const std::string& path, int flags, unsigned mode, Symlinks symlinks) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (symlinks == Symlinks::kRefuse)
    how.resolve |= RESOLVE_NO_SYMLINKS;
  for (int retry = 0; retry < kMaxRetries; ++retry) {
    const auto fd = ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (fd >= 0)
      return UniqueFd(static_cast<int>(fd));
    if (errno != EINTR && errno != EAGAIN)
      break;
  }
  return {};
}

UniqueFd open_in_root(int root, const std::string& path, int flags, unsigned mode) {
  UniqueFd fd = try_open_in_root(root, path, flags, mode);
  if (!fd)
    throw_errno("cannot open " + path + " in the root file system");
  return fd;
}

namespace {

std::string read_link(int directory, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

/// What is left of a path that is being made, from the root on.
struct Unmade {
  std::string done;                ///< resolved already
  std::vector<std::string> parts;  ///< still to come
};

/// A symlink to what is not there yet stands for its target, which is to be made then. False: it is no
/// symlink.
bool follow_dangling(int directory, const std::string& name, Unmade& path) {
  const std::string target = read_link(directory, name);
  if (target.empty())
    return false;
  if (target.starts_with('/'))
    path.done.clear();
  auto parts = split(target, '/', SplitEmpty::kSkip);
  parts.insert(parts.end(), path.parts.begin(), path.parts.end());
  path.parts = std::move(parts);
  return true;
}

}  // namespace

UniqueFd make_directories_in_root(int root, const std::string& path, unsigned mode) {
  if (UniqueFd existing = try_open_in_root(root, path, O_PATH | O_DIRECTORY))
    return existing;
  const auto fail = [&path]() {
    throw_errno("cannot make the directory " + path + " in the root file system");
  };
  if (errno != ENOENT)
    fail();

  // Component by component from the root, so that each mkdir happens in a directory already resolved.
  UniqueFd directory = open_in_root(root, "/", O_PATH | O_DIRECTORY);
  Unmade rest{.done = {}, .parts = split(path, '/', SplitEmpty::kSkip)};
  for (int links = 0; !rest.parts.empty();) {
    const std::string name = rest.parts.front();
    rest.parts.erase(rest.parts.begin());
    UniqueFd next = try_open_in_root(root, rest.done + "/" + name, O_PATH | O_DIRECTORY);
    if (!next && errno == ENOENT && ::mkdirat(directory.get(), name.c_str(), mode) != 0) {
      if (errno != EEXIST)
        fail();
      if (++links <= kMaxLinks && follow_dangling(directory.get(), name, rest)) {
        directory = open_in_root(root, rest.done + "/", O_PATH | O_DIRECTORY);
        continue;
      }
    }
    rest.done += "/" + name;
    if (!next)
      next = try_open_in_root(root, rest.done, O_PATH | O_DIRECTORY);
    if (!next)
      fail();
    directory = std::move(next);
  }
  return directory;
}

UniqueFd make_file_in_root(int root, const std::string& path, unsigned mode) {
  const auto fail = [&path]() { throw_errno("cannot make the file " + path + " in the root file system"); };
  std::string place = path;
  for (int links = 0; links <= kMaxLinks; ++links) {
    if (UniqueFd existing = try_open_in_root(root, place, O_PATH))
      return existing;
    if (errno != ENOENT)
      fail();
    const auto slash = place.find_last_of('/');
    const std::string above = slash == std::string::npos ? "/" : place.substr(0, slash + 1);
    const std::string name = slash == std::string::npos ? place : place.substr(slash + 1);
    const UniqueFd parent = make_directories_in_root(root, above, 0755);
    const UniqueFd created =
        try_open_in_root(parent.get(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode);
    if (!created && errno != EEXIST)
      fail();
    const std::string target = created ? "" : read_link(parent.get(), name);
    if (target.empty())
      return open_in_root(root, place, O_PATH);
    place = target.starts_with('/') ? target : above + target;
  }
  errno = ELOOP;
  fail();
  return {};
}

std::string fd_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace trine::base
