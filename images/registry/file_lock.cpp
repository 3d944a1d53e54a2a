#include "file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"

namespace trine::images {

std::optional<FileLock> FileLock::try_take(const std::string& path) {
  for (;;) {
    base::UniqueFd fd = base::open_file(path, O_RDWR | O_CREAT, 0600);
    int result = 0;
    do {
      result = ::flock(fd.get(), LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno == EWOULDBLOCK)
      return std::nullopt;
    if (result != 0)
      base::throw_errno("cannot lock " + path);
    // Who held it may have removed the file while we waited: then the name is another file's by now.
    struct stat ours{};
    struct stat named{};
    if (::fstat(fd.get(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
        ours.st_dev == named.st_dev) {
      return FileLock(path, std::move(fd));
    }
  }
}

FileLock::~FileLock() {
  if (fd_)
    ::unlink(path_.c_str());
}

}  // namespace trine::images
