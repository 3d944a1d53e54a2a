#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace trine::base {

/// openat() with O_CLOEXEC and EINTR handled. Throws Error naming the path.
UniqueFd open_file(const std::string& path, int flags, unsigned mode = 0);
UniqueFd open_file_at(int directory, const std::string& path, int flags, unsigned mode = 0);

/// Reads at most `limit` bytes; a longer file is an Error, so that a hostile one cannot eat the memory.
std::string read_file(const std::string& path, std::size_t limit = 1 << 20);
std::string read_all(int fd, std::string_view name, std::size_t limit);

/// Writes everything or throws, naming `name`.
void write_all(int fd, std::string_view data, std::string_view name);

/// One write() to an existing file of a kernel file system (procfs, cgroupfs), which takes a value in one go.
void write_value(const std::string& path, std::string_view value);

/// Whether a replaced file must survive a power failure.
enum class Durability { kMemory, kDisk };

/// Replaces `directory`/`name` whole: temporary file, fsync when `kDisk`, rename. A reader sees old or new.
void replace_file(int directory, const std::string& name, std::string_view data, Durability durability,
                  unsigned mode = 0644);

/// mkdir -p. Existing directories are left as they are.
void make_directories(const std::string& path, unsigned mode = 0755);

}  // namespace trine::base
