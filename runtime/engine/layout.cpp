#include "layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/remove_tree.h"

namespace trine::runtime::engine {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

int operation(LockKind kind) {
  return kind == LockKind::kShared ? LOCK_SH : LOCK_EX;
}

}  // namespace

void ensure_private_directory(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0)
    return;
  const auto slash = path.find_last_of('/');
  if (slash != std::string::npos && slash > 0)
    base::make_directories(path.substr(0, slash), 0700);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make the directory " + path);
  }
}

base::UniqueFd try_lock_directory(const std::string& path, LockKind kind) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && ::flock(fd.get(), operation(kind) | LOCK_NB) != 0)
    fd.reset();
  return fd;
}

base::UniqueFd lock_directory(const std::string& path, LockKind kind) {
  base::UniqueFd fd = base::open_file(path, O_RDONLY | O_DIRECTORY);
  while (::flock(fd.get(), operation(kind)) != 0) {
    if (errno != EINTR)
      base::throw_errno("cannot lock " + path);
  }
  return fd;
}

base::UniqueFd hold_layer(const Paths& paths, const std::string& id) {
  return lock_directory(lib_root(paths) + "/" + id, LockKind::kShared);
}

bool remove_layer(const Paths& paths, const std::string& id) {
  const std::string path = lib_root(paths) + "/" + id;
  const base::UniqueFd claim = try_lock_directory(path, LockKind::kExclusive);
  if (!claim && ::access(path.c_str(), F_OK) == 0)
    return false;
  remove_below(lib_root(paths), id);
  return true;
}

std::vector<std::string> directory_entries(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) {
    if (errno == ENOENT)
      return {};
    base::throw_errno("cannot read the directory " + path);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  return names;
}

void remove_below(const std::string& directory, const std::string& name) {
  const base::UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (parent)
    base::remove_tree(parent.get(), name);
}

}  // namespace trine::runtime::engine
