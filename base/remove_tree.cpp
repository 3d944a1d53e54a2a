#include "base/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace trine::base {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// One directory being emptied. The tree may be deeper than the stack or the descriptor limit allow a
/// recursion to go, so levels are closed and reached again through "..", never by path.
struct Level {
  UniqueFd fd;
  std::string name;
};

UniqueFd open_directory(int parent, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, parent, name.c_str(), &how, sizeof how)));
}

bool is_dot(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

/// Unlinks all that is not a directory; returns the name of a subdirectory that must be emptied first.
std::string unlink_files(int directory) {
  const std::unique_ptr<DIR, CloseDirectory> entries(::fdopendir(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
  if (!entries)
    throw_errno("cannot read a directory that is being removed");
  ::rewinddir(entries.get());
  while (const dirent* entry = ::readdir(entries.get())) {
    if (is_dot(entry->d_name))
      continue;
    if (entry->d_type != DT_DIR && ::unlinkat(directory, entry->d_name, 0) == 0)
      continue;
    if (entry->d_type != DT_DIR && errno == ENOENT)
      continue;
    if (::unlinkat(directory, entry->d_name, AT_REMOVEDIR) == 0)
      continue;
    if (errno == ENOTEMPTY || errno == EEXIST)
      return entry->d_name;
    if (errno != ENOENT)
      throw_errno("cannot remove " + std::string(entry->d_name));
  }
  return {};
}

}  // namespace

void remove_tree(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT)
    return;
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0)
    return;
  // unlink of a directory is EISDIR on Linux; anything else than "not empty" now is a real refusal.
  if (errno != ENOTEMPTY && errno != EEXIST)
    throw_errno("cannot remove " + name);

  constexpr std::size_t kOpenLevels = 64;
  std::vector<Level> levels;
  levels.push_back({open_directory(directory, name), name});
  if (!levels.back().fd)
    throw_errno("cannot open " + name + " to remove it");
  while (!levels.empty()) {
    Level& level = levels.back();
    const std::string child = unlink_files(level.fd.get());
    if (!child.empty()) {
      UniqueFd fd = open_directory(level.fd.get(), child);
      if (!fd)
        throw_errno("cannot open " + child + " to remove it");
      if (levels.size() > kOpenLevels)
        levels[levels.size() - kOpenLevels].fd.reset();
      levels.push_back({std::move(fd), child});
      continue;
    }
    const std::string finished = level.name;
    UniqueFd above;
    if (levels.size() > 1 && !levels[levels.size() - 2].fd) {
      above.reset(::openat(level.fd.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!above)
        throw_errno("cannot open the directory above " + finished);
    }
    levels.pop_back();
    if (above)
      levels.back().fd = std::move(above);
    const int parent = levels.empty() ? directory : levels.back().fd.get();
    if (::unlinkat(parent, finished.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
      throw_errno("cannot remove " + finished);
    }
  }
}

}  // namespace trine::base
