#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "internal.h"

namespace trine::cgroups {

Directory::Directory(std::string path)
    : path_(std::move(path)), fd_(base::open_file(path_, O_RDONLY | O_DIRECTORY)) {}

bool Directory::has(const char* file) const { return ::faccessat(fd_.get(), file, F_OK, 0) == 0; }

void Directory::write(const char* file, const std::string& value, const std::string& what) const {
  const base::UniqueFd fd(::openat(fd_.get(), file, O_WRONLY | O_CLOEXEC));
  if (!fd) {
    if (errno != ENOENT) base::throw_errno("cannot set " + what + " (" + path_ + "/" + file + ")");
    throw base::Error("cannot set " + what + ": this kernel has no " + file, ENOENT,
                      "the kernel was built, or booted, without this part of the controller");
  }
  if (::write(fd.get(), value.data(), value.size()) < 0) {
    base::throw_errno("cannot set " + what + " ('" + value + "' to " + path_ + "/" + file + ")");
  }
}

std::optional<std::string> Directory::read(const char* file) const {
  const base::UniqueFd fd(::openat(fd_.get(), file, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  return base::read_all(fd.get(), path_ + "/" + file, 1 << 20);
}

std::optional<std::uint64_t> Directory::read_number(const char* file) const {
  const auto text = read(file);
  return text ? base::parse_unsigned(base::trim(*text)) : std::nullopt;
}

std::optional<std::uint64_t> find_key(const std::string& text, std::string_view key) {
  for (const auto& line : base::split(text, '\n', base::SplitEmpty::kSkip)) {
    const auto space = line.find(' ');
    if (space == std::string::npos || std::string_view(line).substr(0, space) != key) continue;
    return base::parse_unsigned(base::trim(std::string_view(line).substr(space + 1)));
  }
  return std::nullopt;
}

}  // namespace trine::cgroups
