#include "layer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"

namespace trine::images {

LayerLock::LayerLock(const std::string& store, const std::string& hex) : path_(store + "/locks/" + hex) {
  for (;;) {
    fd_ = base::open_file(path_, O_RDWR | O_CREAT, 0600);
    while (::flock(fd_.get(), LOCK_EX) != 0) {
      if (errno != EINTR)
        base::throw_errno("cannot lock the layer " + hex);
    }
    // Whoever held it took the file away: a lock on that keeps nobody out any more.
    struct stat status{};
    if (::fstat(fd_.get(), &status) == 0 && status.st_nlink > 0)
      return;
  }
}

LayerLock::~LayerLock() {
  ::unlink(path_.c_str());
}

}  // namespace trine::images
