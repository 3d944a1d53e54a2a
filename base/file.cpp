#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"

namespace trine::base {

UniqueFd open_file(const std::string& path, int flags, unsigned mode) {
  return open_file_at(AT_FDCWD, path, flags, mode);
}

UniqueFd open_file_at(int directory, const std::string& path, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0)
    throw_errno("cannot open " + path);
  return UniqueFd(fd);
}

std::string read_all(int fd, std::string_view name, std::size_t limit) {
  std::string data;
  std::size_t used = 0;
  for (;;) {
    data.resize(used + 4096 + used / 2);
    const ssize_t got = ::read(fd, data.data() + used, data.size() - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw_errno("cannot read " + std::string(name));
    if (got == 0)
      break;
    used += static_cast<std::size_t>(got);
    if (used > limit) {
      throw Error("cannot read " + std::string(name) + ": it is larger than " + std::to_string(limit) +
                  " bytes");
    }
  }
  data.resize(used);
  return data;
}

std::string read_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd = open_file(path, O_RDONLY);
  return read_all(fd.get(), path, limit);
}

void write_all(int fd, std::string_view data, std::string_view name) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      throw_errno("cannot write " + std::string(name));
    data.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_value(const std::string& path, std::string_view value) {
  const UniqueFd fd = open_file(path, O_WRONLY);
  ssize_t written = 0;
  do {
    written = ::write(fd.get(), value.data(), value.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0)
    throw_errno("cannot write '" + std::string(value) + "' to " + path);
}

void replace_file(int directory, const std::string& name, std::string_view data, Durability durability,
                  unsigned mode) {
  const std::string temporary = "." + name + "." + random_hex(8) + ".tmp";
  const UniqueFd fd = open_file_at(directory, temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
  try {
    write_all(fd.get(), data, name);
    if (durability == Durability::kDisk && ::fsync(fd.get()) != 0)
      throw_errno("cannot write " + name);
    if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
      throw_errno("cannot replace " + name);
    }
  } catch (...) {
    ::unlinkat(directory, temporary.c_str(), 0);
    throw;
  }
  if (durability == Durability::kDisk && ::fsync(directory) != 0)
    throw_errno("cannot write " + name);
}

void make_directories(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST)
    return;
  const auto slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) {
    throw_errno("cannot make the directory " + path);
  }
  make_directories(path.substr(0, slash), mode);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw_errno("cannot make the directory " + path);
}

}  // namespace trine::base
