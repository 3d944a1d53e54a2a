#pragma once

#include <string>

#include "base/unique_fd.h"

namespace trine::base {

/// A file that appears under its name whole or not at all, in place of what has the name: however the process
/// ends before keep(), nothing of it stays, but on file systems without files that have no name (O_TMPFILE)
/// after a kill -9.
class OutputFile {
 public:
  /// Throws Error naming the path.
  explicit OutputFile(const std::string& path, unsigned mode = 0644);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] int fd() const { return file_.get(); }
  /// Gives it its name. Throws Error.
  void keep();

 private:
  void link_temporary();

  std::string path_;
  std::string name_;       ///< the path's last part
  std::string temporary_;  ///< the name it has meanwhile; empty: none
  UniqueFd directory_;
  UniqueFd file_;
};

}  // namespace trine::base
