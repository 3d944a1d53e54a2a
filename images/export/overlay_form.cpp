#include "export/overlay_form.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/process.h"

namespace trine::images {
namespace {

constexpr std::array<std::string_view, 2> kPrefixes{"trusted.overlay.", "user.overlay."};
constexpr std::size_t kMaxOptions = 4095;  ///< mount(2) takes a page of them

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

std::string_view overlay_attribute(std::string_view name) {
  for (const auto& prefix : kPrefixes) {
    if (name.starts_with(prefix))
      return name.substr(prefix.size());
  }
  return {};
}

bool is_opaque(int directory) {
  const std::string path = base::fd_path(directory);
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
    char value = 0;
    return ::getxattr(path.c_str(), (std::string(prefix) + "opaque").c_str(), &value, 1) == 1 && value == 'y';
  });
}

bool is_gone(int error) {
  return error == ENOENT || error == ESTALE;
}

std::vector<std::string> names_in(int directory, const std::string& path) {
  const int copy = ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, CloseDirectory> stream(copy < 0 ? nullptr : ::fdopendir(copy));
  if (stream == nullptr)
    base::throw_errno("cannot read the directory " + path);
  ::rewinddir(stream.get());
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0 && errno != ENOENT)  // that: it was removed, and holds nothing
    base::throw_errno("cannot read the directory " + path);
  std::ranges::sort(names);
  return names;
}

base::UniqueFd open_union(const std::vector<std::string>& directories, const std::string& place) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY;
  if (directories.size() == 1)
    return base::open_file(directories.front(), kDirectory);
  // Of an unprivileged user's namespaces the first that may mount is one of our own. An overlay takes only
  // directories that were opened in there.
  if (base::in_user_namespace() && ::unshare(CLONE_NEWNS) != 0)
    base::throw_errno("cannot make a mount namespace");
  // By descriptors: a path may hold a colon, and 200 of them would not fit the page.
  std::vector<base::UniqueFd> opened;
  std::string options;
  for (const auto& directory : directories) {
    opened.push_back(base::open_file(directory, O_PATH | O_DIRECTORY));
    options += (options.empty() ? "lowerdir=" : ":") + base::fd_path(opened.back().get());
  }
  if (base::in_user_namespace())
    options += ",userxattr";
  if (options.size() > kMaxOptions) {
    throw base::Error("cannot show " + std::to_string(directories.size()) +
                          " layers as one: the kernel takes no more than a page of options",
                      E2BIG);
  }
  constexpr unsigned long kFlags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC;
  base::make_directories(place, 0700);
  if (::mount("overlay", place.c_str(), "overlay", kFlags, options.c_str()) != 0)
    base::throw_errno("cannot show the layers as one on " + place);
  base::UniqueFd root(::open(place.c_str(), kDirectory | O_CLOEXEC));
  const int error = errno;
  // It lives on for who has it open.
  ::umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  if (!root)
    throw base::Error("cannot open " + place, error);
  return root;
}

}  // namespace trine::images
