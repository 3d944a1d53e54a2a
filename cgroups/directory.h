#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace trine::cgroups {

/// One open directory of a cgroup hierarchy. Control files are reached from its descriptor by their short
/// names: the path is for people.
struct Directory {
  std::string path;
  bool v2 = false;
  base::UniqueFd fd;  ///< O_PATH

  /// Writes `value` to the control file `file` in one write(2). `limit` is the user's word for what is set
  /// ("memory"), for the Error that this throws.
  void write(const std::string& file, std::string_view value, std::string_view limit) const;

  /// The same, but returns 0 or the errno.
  [[nodiscard]] int try_write(const char* file, std::string_view value) const;

  [[nodiscard]] bool has(const char* file) const;

  /// The names of its control files.
  [[nodiscard]] std::vector<std::string> files() const;

  /// The file's text; nothing when it cannot be read or is longer than `limit` bytes.
  [[nodiscard]] std::optional<std::string> read(const char* file, std::size_t limit = 64 << 10) const;

  /// A file that holds one number; nothing when it is missing or says "max".
  [[nodiscard]] std::optional<std::uint64_t> read_number(const char* file) const;

  /// The number behind `key` in a file of lines "key number".
  [[nodiscard]] std::optional<std::uint64_t> read_keyed(const char* file, std::string_view key) const;
};

/// Opens a directory; the descriptor is empty, and errno set, when it cannot be.
Directory open_directory(std::string path, bool v2);

/// The controllers whose files a directory has, by the names of its version. No mount table is needed, so
/// they are the same wherever the hierarchies are mounted.
std::vector<std::string> controllers_in(const Directory& directory);

/// The names of the entries of a type (DT_DIR, DT_REG) in the directory `fd`, at most `count` of them.
std::vector<std::string> entries(int fd, unsigned char type, std::size_t count);

/// The number behind `key` in a text of lines "key number".
std::optional<std::uint64_t> find_keyed(std::string_view text, std::string_view key);

}  // namespace trine::cgroups
