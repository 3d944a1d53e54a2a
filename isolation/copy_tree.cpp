#include "copy_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/unique_fd.h"

namespace trine::isolation {
namespace {

// An image can nest directories without end; the stack cannot.
constexpr int kMaxDepth = 128;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

[[noreturn]] void fail(const std::string& where, const std::string& name) {
  base::throw_errno("cannot copy " + name + " into the tmpfs on " + where);
}

base::UniqueFd open_beneath(int directory, const char* name, int flags, const std::string& where) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  base::UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof how)));
  if (!fd)
    fail(where, name);
  return fd;
}

void copy_file(int from, int to, const char* name, const struct stat& status, const std::string& where) {
  const base::UniqueFd input = open_beneath(from, name, O_RDONLY | O_NONBLOCK, where);
  const base::UniqueFd output(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!output)
    fail(where, name);
  for (;;) {
    const ssize_t moved = ::sendfile(output.get(), input.get(), nullptr, 1 << 30);
    if (moved < 0)
      fail(where, name);
    if (moved == 0)
      break;
  }
  if (::fchown(output.get(), status.st_uid, status.st_gid) != 0 ||
      ::fchmod(output.get(), status.st_mode & 07777) != 0) {
    fail(where, name);
  }
}

void copy_symlink(int from, int to, const char* name, const struct stat& status, const std::string& where) {
  std::array<char, PATH_MAX> target{};
  if (::readlinkat(from, name, target.data(), target.size() - 1) < 0 ||
      ::symlinkat(target.data(), to, name) != 0 ||
      ::fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    fail(where, name);
  }
}

void copy_directory(int from, int to, const std::string& where, int depth);

void copy_entry(int from, int to, const char* name, const std::string& where, int depth) {
  struct stat status{};
  if (::fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    fail(where, name);
  if (S_ISREG(status.st_mode))
    return copy_file(from, to, name, status, where);
  if (S_ISLNK(status.st_mode))
    return copy_symlink(from, to, name, status, where);
  if (!S_ISDIR(status.st_mode))
    return;
  if (::mkdirat(to, name, 0700) != 0)
    fail(where, name);
  const base::UniqueFd input = open_beneath(from, name, O_RDONLY | O_DIRECTORY, where);
  const base::UniqueFd output = open_beneath(to, name, O_RDONLY | O_DIRECTORY, where);
  copy_directory(input.get(), output.get(), where, depth + 1);
  if (::fchown(output.get(), status.st_uid, status.st_gid) != 0 ||
      ::fchmod(output.get(), status.st_mode & 07777) != 0) {
    fail(where, name);
  }
}

void copy_directory(int from, int to, const std::string& where, int depth) {
  if (depth > kMaxDepth) {
    throw base::Error("cannot fill the tmpfs on " + where + ": the image nests directories too deep");
  }
  const int fd = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    fail(where, "a directory");
  const std::unique_ptr<DIR, CloseDirectory> entries(::fdopendir(fd));
  if (!entries)
    fail(where, "a directory");
  while (const dirent* entry = ::readdir(entries.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      copy_entry(from, to, entry->d_name, where, depth);
    }
  }
}

}  // namespace

void copy_tree(int from, int to, const std::string& where) {
  copy_directory(from, to, where, 0);
}

}  // namespace trine::isolation
