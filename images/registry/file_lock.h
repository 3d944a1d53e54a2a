#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace trine::images {

/// An exclusive lock that processes agree on by a file's name, and that ends with its holder, by kill -9 too.
/// The file is removed with the lock.
class FileLock {
 public:
  /// Nothing when another holds it.
  static std::optional<FileLock> try_take(const std::string& path);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  base::UniqueFd fd_;
};

}  // namespace trine::images
