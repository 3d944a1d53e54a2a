#include "export/layer_packer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxDepth = 1024;  ///< of directories; each keeps a descriptor open
constexpr std::size_t kBuffer = 256 << 10;
constexpr std::array<std::string_view, 2> kOverlay{"trusted.overlay.", "user.overlay."};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> entries(int directory, const std::string& path) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDirectory> stream(copy < 0 ? nullptr : ::fdopendir(copy));
  if (stream == nullptr)
    base::throw_errno("cannot read the directory " + path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

class Packer {
 public:
  explicit Packer(const ByteSink& sink) : writer_(sink), buffer_(kBuffer) {}

  void pack(const std::string& root) {
    const base::UniqueFd directory = base::open_file(root, O_RDONLY | O_DIRECTORY);
    TarMember member{.path = "./"};
    if (::fstat(directory.get(), &member.status) != 0)
      base::throw_errno("cannot look at " + root);
    pack_directory(directory.get(), std::move(member), "", 0);
    writer_.finish();
  }

 private:
  void pack_directory(int directory, TarMember member, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth)
      throw base::Error("cannot pack " + prefix + ": it is nested too deep");
    const bool opaque = read_xattrs(base::fd_path(directory), member);
    writer_.add(member);
    if (opaque)
      add_empty(prefix + ".wh..wh..opq");
    for (const auto& name : entries(directory, prefix))
      pack_entry(directory, name, prefix, depth);
  }

  void pack_entry(int directory, const std::string& name, const std::string& prefix, std::size_t depth) {
    TarMember member{.path = prefix + name};
    if (::fstatat(directory, name.c_str(), &member.status, AT_SYMLINK_NOFOLLOW) != 0)
      base::throw_errno("cannot look at " + member.path);
    if (is_whiteout(member.status))
      return add_empty(prefix + ".wh." + name);
    if (S_ISSOCK(member.status.st_mode))
      return;  // a socket without its process is nothing
    if (S_ISDIR(member.status.st_mode)) {
      const base::UniqueFd child = base::open_file_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      member.path += '/';
      const std::string path = member.path;
      return pack_directory(child.get(), std::move(member), path, depth + 1);
    }
    if (member.status.st_nlink > 1) {
      const auto [first, is_new] =
          links_.try_emplace({member.status.st_dev, member.status.st_ino}, member.path);
      member.hardlink = !is_new;
      if (!is_new)
        member.link = first->second;
    }
    if (!member.hardlink)
      (void)read_xattrs(base::fd_path(directory) + "/" + name, member);
    if (S_ISLNK(member.status.st_mode) && !member.hardlink)
      member.link = read_link(directory, name);
    writer_.add(member);
    if (S_ISREG(member.status.st_mode) && !member.hardlink)
      pack_data(directory, name, member);
  }

  /// Whether they mark an opaque directory; the overlay's own are left out.
  static bool read_xattrs(const std::string& path, TarMember& member) {
    std::vector<char> names(XATTR_LIST_MAX);
    // The directory's own path is a magic link, which is to be followed; an entry's last part is not.
    const bool self = member.path.ends_with('/');
    const ssize_t size = self ? ::listxattr(path.c_str(), names.data(), names.size())
                              : ::llistxattr(path.c_str(), names.data(), names.size());
    if (size < 0 && errno != ENOTSUP)
      base::throw_errno("cannot read the attributes of " + member.path);
    bool opaque = false;
    std::vector<char> value(XATTR_SIZE_MAX);
    for (const auto& name : base::split({names.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))},
                                        '\0', base::SplitEmpty::kSkip)) {
      const ssize_t length = self ? ::getxattr(path.c_str(), name.c_str(), value.data(), value.size())
                                  : ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
      if (length < 0)
        base::throw_errno("cannot read the attribute " + name + " of " + member.path);
      const bool overlay =
          std::ranges::any_of(kOverlay, [&](std::string_view prefix) { return name.starts_with(prefix); });
      opaque = opaque || (overlay && name.ends_with(".opaque"));
      if (!overlay)
        member.xattrs.emplace_back(name, std::string(value.data(), static_cast<std::size_t>(length)));
    }
    std::ranges::sort(member.xattrs);
    return opaque;
  }

  static std::string read_link(int directory, const std::string& name) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (size < 0)
      base::throw_errno("cannot read the link " + name);
    return {target.data(), static_cast<std::size_t>(size)};
  }

  void add_empty(std::string path) {
    TarMember member{.path = std::move(path)};
    member.status.st_mode = S_IFREG;
    writer_.add(member);
  }

  void pack_data(int directory, const std::string& name, const TarMember& member) {
    const base::UniqueFd file = base::open_file_at(directory, name, O_RDONLY | O_NOFOLLOW);
    auto left = static_cast<std::uint64_t>(member.status.st_size);
    while (left > 0) {
      const ssize_t got = ::read(file.get(), buffer_.data(), std::min<std::uint64_t>(buffer_.size(), left));
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        throw base::Error("cannot read " + member.path, got < 0 ? errno : 0);
      writer_.data({buffer_.data(), static_cast<std::size_t>(got)});
      left -= static_cast<std::uint64_t>(got);
    }
    writer_.end_data();
  }

  TarWriter writer_;
  std::vector<char> buffer_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  ///< the first name of what has several
};

}  // namespace

void pack_layer(const std::string& directory, const ByteSink& sink) {
  Packer(sink).pack(directory);
}

}  // namespace trine::images
