#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace trine::runtime::engine {

/// The id in a file that must not be there yet, and that goes again when the instance does not start.
class CidFile {
 public:
  CidFile(std::string path, const std::string& id) : path_(std::move(path)) {
    if (path_.empty())
      return;
    try {
      const base::UniqueFd file = base::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0644);
      base::write_all(file.get(), id, path_);
    } catch (const base::Error& error) {
      if (error.errno_value() != EEXIST)
        throw;
      throw base::Error("the file " + path_ + " exists already", 0,
                        "another instance may go by it: remove it, or choose another --cidfile");
    }
  }
  ~CidFile() {
    if (!keep_ && !path_.empty())
      ::unlink(path_.c_str());
  }
  CidFile(const CidFile&) = delete;
  CidFile& operator=(const CidFile&) = delete;
  void keep() { keep_ = true; }

 private:
  std::string path_;
  bool keep_ = false;
};

}  // namespace trine::runtime::engine
