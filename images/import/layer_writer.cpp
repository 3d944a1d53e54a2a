#include "layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/process.h"
#include "base/remove_tree.h"
#include "lower_file.h"

namespace trine::images {
namespace {

constexpr std::size_t kBuffer = 1 << 20;

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int saved = errno;
  throw base::Error("cannot " + what + " " + path + " of the layer", saved,
                    saved == EINVAL || saved == EOVERFLOW
                        ? "its owner must be mapped in the user namespace: see /etc/subuid and /etc/subgid"
                        : "");
}

}  // namespace

LayerWriter::LayerWriter(const std::string& directory, std::vector<std::string> lower)
    : root_(base::open_file(directory, O_PATH | O_DIRECTORY)),
      lower_(std::move(lower)),
      in_user_namespace_(base::in_user_namespace()),
      buffer_(kBuffer) {}

/// Makes what is missing on the way, as it is in the layers below: the overlay shows what the topmost says.
base::UniqueFd LayerWriter::make_parents(const std::string& directory) {
  std::vector<std::string> missing;
  for (std::string path = directory; !path.empty() && !lower_.empty(); path = split_path(path).first) {
    if (base::try_open_in_root(root_.get(), path, O_PATH) || errno != ENOENT)
      break;
    missing.push_back(path);
  }
  base::UniqueFd made = base::make_directories_in_root(root_.get(), directory.empty() ? "/" : directory);
  for (const auto& path : missing)
    imply(path);
  return made;
}

void LayerWriter::imply(const std::string& path) {
  depends_on_lower_ = true;
  const auto below = find_lower_directory(lower_, path);
  if (!below)
    return;
  const auto [directory, name] = split_path(path);
  const base::UniqueFd parent =
      base::open_in_root(root_.get(), directory.empty() ? "/" : directory, O_PATH | O_DIRECTORY);
  const TarEntry entry{.type = TarType::kDirectory,
                       .path = path,
                       .mode = below->mode,
                       .uid = below->uid,
                       .gid = below->gid,
                       .mtime = below->mtime,
                       .xattrs = below->xattrs};
  directory_times_.emplace_back(path, below->mtime);
  set_attributes({.parent = parent.get(), .name = name}, entry);
}

/// Most members stand in the same directory as the one before.
LayerWriter::Place LayerWriter::locate(const std::string& path) {
  auto [directory, name] = split_path(path);
  if (name.empty() || name == "..")
    throw base::Error("the layer has a member with the path '" + path + "'");
  if (!parent_ || parent_path_ != directory) {
    parent_ = make_parents(directory);
    parent_path_ = directory;
  }
  return {.parent = parent_.get(), .name = std::move(name)};
}

/// What an earlier member has put there gives way, but a directory to a directory.
void LayerWriter::clear_place(const Place& place, TarType type) {
  struct stat status{};
  if (::fstatat(place.parent, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  if (S_ISDIR(status.st_mode) && type == TarType::kDirectory)
    return;
  base::remove_tree(place.parent, place.name);
}

void LayerWriter::write(const TarEntry& entry, TarReader& reader) {
  TarEntry cleaned = entry;
  cleaned.path = clean_path(entry.path);
  if (entry.type == TarType::kOther)
    return;
  if (cleaned.path.empty()) {  // the root itself
    const std::string root = base::fd_path(root_.get());
    if (::chown(root.c_str(), entry.uid, entry.gid) != 0 || ::chmod(root.c_str(), entry.mode) != 0)
      fail("make", "/");
    directory_times_.emplace_back("/", entry.mtime);
    return;
  }
  if (take_whiteout(cleaned))
    return;
  const Place place = locate(cleaned.path);
  switch (entry.type) {
    case TarType::kFile:
      return write_file(place, cleaned, reader);
    case TarType::kHardlink:
      return write_hardlink(place, cleaned);
    default:
      write_node(place, cleaned);
  }
}

void LayerWriter::write_file(const Place& place, const TarEntry& entry, TarReader& reader) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd file(::openat(place.parent, place.name.c_str(), kFlags, 0600));
  if (!file && errno == EEXIST) {
    clear_place(place, entry.type);
    file.reset(::openat(place.parent, place.name.c_str(), kFlags, 0600));
  }
  if (!file)
    fail("make", entry.path);
  write_data(file.get(), entry, reader);
  if ((entry.uid != 0 || entry.gid != 0) && ::fchown(file.get(), entry.uid, entry.gid) != 0)
    fail("own", entry.path);
  // After the change of owner, which takes set-user-id and capabilities away.
  if (::fchmod(file.get(), entry.mode) != 0)
    fail("make", entry.path);
  if (!entry.xattrs.empty())
    set_xattrs(place, entry);
  const std::array<timespec, 2> times{entry.mtime, entry.mtime};
  if (::futimens(file.get(), times.data()) != 0)
    fail("date", entry.path);
}

void LayerWriter::write_data(int file, const TarEntry& entry, TarReader& reader) {
  const auto copy = [&](std::uint64_t offset, std::uint64_t size) {
    while (size > 0) {
      const std::size_t got =
          reader.read_data(std::span(buffer_).first(std::min<std::uint64_t>(size, buffer_.size())));
      if (got == 0)
        throw base::Error("the data of " + entry.path + " is truncated");
      for (std::size_t done = 0; done < got;) {
        const ssize_t put =
            ::pwrite(file, buffer_.data() + done, got - done, static_cast<off_t>(offset + done));
        if (put < 0 && errno != EINTR)
          fail("write", entry.path);
        if (put > 0)
          done += static_cast<std::size_t>(put);
      }
      offset += got;
      size -= got;
    }
  };
  if (!entry.sparse)
    return copy(0, entry.size);
  for (const auto& [offset, size] : *entry.sparse)
    copy(offset, size);
  if (::ftruncate(file, static_cast<off_t>(entry.size)) != 0)
    fail("write", entry.path);
}

void LayerWriter::write_hardlink(const Place& place, const TarEntry& entry) {
  const std::string target = clean_path(entry.link);
  clear_place(place, entry.type);
  const auto [directory, name] = split_path(target);
  for (const bool second : {false, true}) {
    const base::UniqueFd parent =
        base::try_open_in_root(root_.get(), directory.empty() ? "/" : directory, O_PATH | O_DIRECTORY);
    if (parent && ::linkat(parent.get(), name.c_str(), place.parent, place.name.c_str(), 0) == 0)
      return;
    // A link to a file of a layer below: that file comes up into this one.
    const int error = errno;
    if (second || (error != ENOENT && error != ENOTDIR) || !copy_up(target)) {
      errno = error;
      fail("make the hardlink " + entry.path + " to", target);
    }
  }
}

/// Brings a regular file from the layers below into this one, with its owner, mode, time and attributes.
bool LayerWriter::copy_up(const std::string& path) {
  const auto file = find_lower_file(lower_, path);
  if (!file)
    return false;
  depends_on_lower_ = true;
  const auto [directory, name] = split_path(path);
  const base::UniqueFd parent = make_parents(directory);
  const base::UniqueFd copy(
      ::openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!copy)
    fail("make", path);
  while (const std::size_t got = file->read(buffer_))
    base::write_all(copy.get(), {buffer_.data(), got}, path + " of the layer");
  if (::fchown(copy.get(), file->uid, file->gid) != 0 || ::fchmod(copy.get(), file->mode) != 0)
    fail("copy", path);
  set_xattrs({.parent = parent.get(), .name = name}, {.path = path, .xattrs = file->xattrs});
  const std::array<timespec, 2> times{file->mtime, file->mtime};
  if (::futimens(copy.get(), times.data()) != 0)
    fail("date", path);
  return true;
}

void LayerWriter::write_node(const Place& place, const TarEntry& entry) {
  clear_place(place, entry.type);
  const char* name = place.name.c_str();
  int result = 0;
  if (entry.type == TarType::kDirectory) {
    result = ::mkdirat(place.parent, name, 0700);
    if (result != 0 && errno == EEXIST)
      result = 0;
    directory_times_.emplace_back(entry.path, entry.mtime);
  } else if (entry.type == TarType::kSymlink) {
    result = ::symlinkat(entry.link.c_str(), place.parent, name);
  } else {
    const bool fifo = entry.type == TarType::kFifo;
    if (!fifo && in_user_namespace_) {
      ++skipped_devices_;
      return;
    }
    const mode_t type = fifo ? S_IFIFO : entry.type == TarType::kBlock ? S_IFBLK : S_IFCHR;
    result = ::mknodat(place.parent, name, type | 0600, fifo ? 0 : makedev(entry.major, entry.minor));
  }
  if (result != 0)
    fail("make", entry.path);
  set_attributes(place, entry);
}

void LayerWriter::set_attributes(const Place& place, const TarEntry& entry) {
  const char* name = place.name.c_str();
  if ((entry.uid != 0 || entry.gid != 0 || entry.type == TarType::kDirectory) &&
      ::fchownat(place.parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    fail("own", entry.path);
  }
  if (entry.type != TarType::kSymlink && ::fchmodat(place.parent, name, entry.mode, 0) != 0)
    fail("make", entry.path);
  if (!entry.xattrs.empty())
    set_xattrs(place, entry);
  if (entry.type == TarType::kDirectory)
    return;  // in finish()
  const std::array<timespec, 2> times{entry.mtime, entry.mtime};
  if (::utimensat(place.parent, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    fail("date", entry.path);
}

void LayerWriter::set_xattrs(const Place& place, const TarEntry& entry) {
  const std::string path = base::fd_path(place.parent) + "/" + place.name;
  for (const auto& [name, value] : entry.xattrs) {
    if (!keeps_xattr(name))
      continue;
    if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) == 0)
      continue;
    const bool unsupported =
        errno == ENOTSUP || (errno == EPERM && (in_user_namespace_ || name.starts_with("user.")));
    if (!unsupported)
      fail("set the attribute " + name + " of", entry.path);
  }
}

/// Whiteouts are applied in the end, for they must not hide this layer's own.
bool LayerWriter::take_whiteout(const TarEntry& entry) {
  const auto whiteout = parse_whiteout(entry.path);
  if (!whiteout)
    return false;
  if (whiteout->hidden.empty()) {
    set_opaque(whiteout->directory);
  } else {
    whiteouts_.insert(whiteout->hidden);
  }
  return true;
}

void LayerWriter::set_opaque(const std::string& path) {
  const base::UniqueFd directory = make_parents(path);
  const char* name = in_user_namespace_ ? "user.overlay.opaque" : "trusted.overlay.opaque";
  if (::setxattr(base::fd_path(directory.get()).c_str(), name, "y", 1, 0) != 0)
    fail("mark as opaque", path);
}

void LayerWriter::apply_whiteout(const std::string& path) {
  const Place place = locate(path);
  struct stat status{};
  if (::fstatat(place.parent, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    // The layer has its own there; a directory hides that of the layers below, and their files in it.
    if (S_ISDIR(status.st_mode))
      set_opaque(path);
    return;
  }
  if (::mknodat(place.parent, place.name.c_str(), S_IFCHR, makedev(0, 0)) != 0)
    fail("hide", path);
}

void LayerWriter::finish() {
  for (const auto& path : whiteouts_)
    apply_whiteout(path);
  for (auto entry = directory_times_.rbegin(); entry != directory_times_.rend(); ++entry) {
    const base::UniqueFd directory =
        base::try_open_in_root(root_.get(), entry->first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!directory)
      continue;  // a later member has taken its place
    const std::array<timespec, 2> times{entry->second, entry->second};
    if (::futimens(directory.get(), times.data()) != 0)
      fail("date", entry->first);
  }
}

}  // namespace trine::images
