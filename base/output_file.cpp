#include "base/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"

namespace trine::base {

OutputFile::OutputFile(const std::string& path, unsigned mode) : path_(path) {
  const auto slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name_.empty())
    throw Error("cannot make the file '" + path + "': it is a directory", EISDIR);
  directory_ = open_file(parent, O_RDONLY | O_DIRECTORY);
  const int fd = ::openat(directory_.get(), ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
  const int error = errno;
  file_.reset(fd);
  if (file_)
    return;
  if (error != EOPNOTSUPP && error != EISDIR && error != ENOENT)  // the latter two: kernels without it
    throw Error("cannot make the file " + path, error);
  temporary_ = "." + name_ + "." + random_hex(8) + ".tmp";
  file_ = open_file_at(directory_.get(), temporary_, O_WRONLY | O_CREAT | O_EXCL, mode);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty())
    ::unlinkat(directory_.get(), temporary_.c_str(), 0);
}

/// A link cannot take another file's place, but a name can.
void OutputFile::link_temporary() {
  temporary_ = "." + name_ + "." + random_hex(8) + ".tmp";
  if (::linkat(AT_FDCWD, fd_path(file_.get()).c_str(), directory_.get(), temporary_.c_str(),
               AT_SYMLINK_FOLLOW) == 0)
    return;
  const int error = errno;
  temporary_.clear();
  throw Error("cannot make the file " + path_, error);
}

void OutputFile::keep() {
  if (temporary_.empty())
    link_temporary();
  if (::renameat(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str()) != 0)
    throw_errno("cannot make the file " + path_);
  temporary_.clear();
}

}  // namespace trine::base
