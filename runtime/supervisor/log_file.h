#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace trine::runtime::supervisor {

struct LogOptions {
  std::string path;
  std::uint64_t most_bytes = 0;  ///< before a new file is begun; 0: no limit
  unsigned files = 1;            ///< that are kept: PATH, PATH.1, …
};

/// The log of an instance's output: a line is its time, its stream, F (or P: it goes on in the next one) and
/// its text. Source: Kubernetes, CRI logging ("k8s-file" of podman).
///
/// A disk that is full loses output and keeps the instance; how much is said in the log as soon as it can be.
class LogFile {
 public:
  /// Throws Error when it cannot be opened.
  explicit LogFile(LogOptions options);

  /// `stream` is "stdout" or "stderr".
  void append(std::string_view stream, std::string_view bytes);

 private:
  void open();
  void rotate();
  void add_line(std::string_view stream, std::string_view text, bool is_whole);
  bool write(std::string_view text);

  LogOptions options_;
  base::UniqueFd file_;
  std::uint64_t size_ = 0;
  std::uint64_t lost_bytes_ = 0;
  std::string entry_;  ///< lines to be written at once
};

}  // namespace trine::runtime::supervisor
