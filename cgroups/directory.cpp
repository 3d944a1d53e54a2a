#include "directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::cgroups {
namespace {

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

std::string hint_for(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "a limit cannot be wider than the parent group's, and setting one needs write access to it";
    case EBUSY:
      return "the group uses more than this already, or a group above or below it forbids the value";
    default:
      return {};
  }
}

}  // namespace

Directory open_directory(std::string path, bool v2) {
  Directory directory{.path = std::move(path), .v2 = v2, .fd = {}};
  directory.fd.reset(::open(directory.path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory;
}

std::vector<std::string> entries(int fd, unsigned char type, std::size_t count) {
  base::UniqueFd copy(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> stream(copy ? ::fdopendir(copy.get()) : nullptr);
  std::vector<std::string> names;
  if (!stream)
    return names;
  static_cast<void>(copy.release());  // the stream owns it now
  while (names.size() < count) {
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr)
      break;
    const std::string_view name = entry->d_name;
    if (entry->d_type == type && name != "." && name != "..")
      names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> Directory::files() const {
  constexpr std::size_t kMost = 4096;  // a hundred or so are there
  return entries(fd.get(), DT_REG, kMost);
}

std::vector<std::string> controllers_in(const Directory& directory) {
  if (directory.v2) {
    const auto text = directory.read("cgroup.controllers").value_or("");
    return base::split(base::trim(text), ' ', base::SplitEmpty::kSkip);
  }
  std::vector<std::string> names;
  for (const auto& file : directory.files()) {
    auto name = file.substr(0, file.find('.'));
    if (std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

int Directory::try_write(const char* file, std::string_view value) const {
  const base::UniqueFd out(::openat(fd.get(), file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!out)
    return errno;
  ssize_t written = 0;
  do {
    written = ::write(out.get(), value.data(), value.size());
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

void Directory::write(const std::string& file, std::string_view value, std::string_view limit) const {
  const int error = try_write(file.c_str(), value);
  if (error == 0)
    return;
  std::string message = "cannot set the " + std::string(limit) + " limit of " + path;
  if (error == ENOENT) {
    throw base::Error(message + ": the kernel has no file " + file + " there", ENOENT,
                      "the kernel was built without this part of the controller, or it is switched off");
  }
  throw base::Error(message + ": cannot write '" + std::string(value) + "' to " + file, error,
                    hint_for(error));
}

bool Directory::has(const char* file) const {
  return ::faccessat(fd.get(), file, F_OK, 0) == 0;
}

std::optional<std::string> Directory::read(const char* file, std::size_t limit) const {
  const base::UniqueFd in(::openat(fd.get(), file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!in)
    return std::nullopt;
  try {
    return base::read_all(in.get(), file, limit);
  } catch (const base::Error&) {
    return std::nullopt;  // the group went away between open and read, or the file is no control file
  }
}

std::optional<std::uint64_t> Directory::read_number(const char* file) const {
  const auto text = read(file);
  return text ? base::parse_unsigned(base::trim(*text)) : std::nullopt;
}

std::optional<std::uint64_t> Directory::read_keyed(const char* file, std::string_view key) const {
  const auto text = read(file);
  return text ? find_keyed(*text, key) : std::nullopt;
}

std::optional<std::uint64_t> find_keyed(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      return base::parse_unsigned(base::trim(line.substr(key.size() + 1)));
    }
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace trine::cgroups
