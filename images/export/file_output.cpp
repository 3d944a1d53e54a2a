#include "export/file_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"

namespace trine::images {
namespace {

struct stat status_of(mode_t mode, std::uint64_t size) {
  struct stat status{};
  status.st_mode = mode;
  status.st_size = static_cast<off_t>(size);
  return status;
}

void read_layer(const PackedLayer& layer, const std::function<void(std::span<const char>)>& sink) {
  std::array<char, 128 << 10> buffer;
  std::uint64_t offset = 0;
  while (offset < layer.size) {
    const ssize_t got = ::pread(layer.file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      base::throw_errno("cannot read the packed layer " + layer.digest);
    sink({buffer.data(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

void TarFiles::add_directory(const std::string& path) {
  tar_.add({.path = path + "/", .status = status_of(S_IFDIR | 0755, 0)});
}

void TarFiles::add_text(const std::string& path, const std::string& text) {
  tar_.add({.path = path, .status = status_of(S_IFREG | 0644, text.size())});
  tar_.data(text);
  tar_.end_data();
}

void TarFiles::add_layer(const std::string& path, const PackedLayer& layer) {
  tar_.add({.path = path, .status = status_of(S_IFREG | 0644, layer.size)});
  read_layer(layer, [&](std::span<const char> bytes) { tar_.data(bytes); });
  tar_.end_data();
}

OutputDirectory::OutputDirectory(const std::string& path) : path_(path) {
  std::string plain = path;
  while (plain.size() > 1 && plain.ends_with('/'))
    plain.pop_back();
  const auto slash = plain.find_last_of('/');
  name_ = slash == std::string::npos ? plain : plain.substr(slash + 1);
  parent_ =
      base::open_file(slash == std::string::npos ? "." : plain.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
  // The same call will give it its name: an empty directory there is taken away, anything else stays.
  if (::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw base::Error("cannot make the directory " + path,
                      errno == ENOTDIR || errno == ENOTEMPTY ? EEXIST : errno,
                      "choose a name that nothing has yet");
  }
  temporary_ = "." + name_ + "." + base::random_hex(8) + ".tmp";
  if (::mkdirat(parent_.get(), temporary_.c_str(), 0755) != 0) {
    const int error = errno;
    temporary_.clear();
    throw base::Error("cannot make the directory " + path, error);
  }
  directory_ = base::open_file_at(parent_.get(), temporary_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

OutputDirectory::~OutputDirectory() {
  if (temporary_.empty())
    return;
  try {
    base::remove_tree(parent_.get(), temporary_);
  } catch (const std::exception& error) {
    base::print_warning(error.what());
  }
}

base::UniqueFd OutputDirectory::make_file(const std::string& path) const {
  return base::open_file_at(directory_.get(), path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
}

void OutputDirectory::add_directory(const std::string& path) {
  if (::mkdirat(directory_.get(), path.c_str(), 0755) != 0)
    base::throw_errno("cannot make the directory " + path_ + "/" + path);
}

void OutputDirectory::add_text(const std::string& path, const std::string& text) {
  base::write_all(make_file(path).get(), text, path_ + "/" + path);
}

void OutputDirectory::add_layer(const std::string& path, const PackedLayer& layer) {
  const base::UniqueFd file = make_file(path);
  read_layer(layer, [&](std::span<const char> bytes) {
    base::write_all(file.get(), {bytes.data(), bytes.size()}, path_ + "/" + path);
  });
}

void OutputDirectory::keep() {
  if (::renameat(parent_.get(), temporary_.c_str(), parent_.get(), name_.c_str()) != 0)
    base::throw_errno("cannot make the directory " + path_);
  temporary_.clear();
}

}  // namespace trine::images
