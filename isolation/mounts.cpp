#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "copy_tree.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

/// Kernel file systems by which the container is later set up and confined: a symlink of the image on the way
/// to them would have us write elsewhere (CVE-2019-16884 and its kin).
bool must_be_where_it_says(const Mount& mount) {
  return mount.type == "proc" || mount.type == "sysfs";
}

/// The place to mount on, made when it is missing; O_PATH.
base::UniqueFd open_target(const Context& context, const Mount& mount, bool is_directory) {
  const int root = context.root.get();
  if (must_be_where_it_says(mount)) {
    auto fd =
        base::try_open_in_root(root, mount.destination, O_PATH | O_DIRECTORY, 0, base::Symlinks::kRefuse);
    if (!fd && errno == ELOOP) {
      throw base::Error("cannot mount " + mount.type + " on " + mount.destination +
                            ": the root file system has a symlink there",
                        0, "do not run this image: it tries to mislead the runtime");
    }
    if (fd)
      return fd;
  }
  return is_directory ? base::make_directories_in_root(root, mount.destination)
                      : base::make_file_in_root(root, mount.destination);
}

void apply_attributes(int fd, const Mount& mount) {
  change_attributes(fd, {.set = mount.set_attributes, .clear = mount.clear_attributes}, mount.destination);
  change_attributes(
      fd,
      {.set = mount.recursive_set_attributes, .clear = mount.recursive_clear_attributes, .recursive = true},
      mount.destination);
  for (const unsigned long propagation : mount.propagation) {
    if (::mount(nullptr, base::fd_path(fd).c_str(), nullptr, propagation, nullptr) != 0) {
      base::throw_errno("cannot set the propagation of " + mount.destination);
    }
  }
}

base::UniqueFd open_source(const Mount& mount) {
  const int fd = ::open(mount.source.c_str(), O_PATH | O_CLOEXEC);
  if (fd >= 0)
    return base::UniqueFd(fd);
  if (errno != ENOENT || !mount.create_source) {
    base::throw_errno("cannot mount " + mount.source + " on " + mount.destination,
                      errno == ENOENT ? "make it first: mkdir -p " + mount.source : "");
  }
  base::make_directories(mount.source);
  return base::open_file(mount.source, O_PATH);
}

void mount_bind(Context& context, const Mount& mount) {
  const base::UniqueFd source = open_source(mount);
  struct stat status{};
  if (::fstat(source.get(), &status) != 0)
    base::throw_errno("cannot look at " + mount.source);
  const base::UniqueFd target = open_target(context, mount, S_ISDIR(status.st_mode));
  const base::UniqueFd tree = clone_tree(source.get(), "", mount.recursive);
  attach(tree.get(), target.get(), mount.destination);
  apply_attributes(tree.get(), mount);
}

/// A new sysfs shows the network namespace of its maker, who must own it. A rootless container on the host's
/// network does not; it gets the host's /sys, as read-only as asked.
base::UniqueFd mount_sysfs(const Mount& mount, bool in_user_namespace) {
  const FilesystemContext filesystem("sysfs");
  filesystem.set("source", "sysfs");
  try {
    return filesystem.mount(mount.set_attributes);
  } catch (const base::Error& error) {
    if (error.errno_value() != EPERM || !in_user_namespace)
      throw;
  }
  return clone_tree(AT_FDCWD, "/sys", true);
}

base::UniqueFd mount_new(const Context& context, const Mount& mount, std::uint64_t attributes) {
  if (mount.type == "sysfs")
    return mount_sysfs(mount, context.in_user_namespace);
  const FilesystemContext filesystem(mount.type);
  filesystem.set("source", mount.source.empty() ? mount.type : mount.source);
  if ((mount.super_flags & MS_SYNCHRONOUS) != 0)
    filesystem.set_flag("sync");
  if ((mount.super_flags & MS_DIRSYNC) != 0)
    filesystem.set_flag("dirsync");
  if ((mount.super_flags & MS_LAZYTIME) != 0)
    filesystem.set_flag("lazytime");
  filesystem.set_all(mount.data);
  return filesystem.mount(attributes);
}

void mount_filesystem(Context& context, const Mount& mount) {
  if (mount.type == "sysfs")
    enter_network_namespace(context);
  const base::UniqueFd target = open_target(context, mount, true);
  const std::uint64_t first = mount.copy_up ? mount.set_attributes & ~kAttrReadOnly : mount.set_attributes;
  base::UniqueFd fd = mount_new(context, mount, first);
  if (mount.copy_up)
    copy_tree(target.get(), fd.get(), mount.destination);
  attach(fd.get(), target.get(), mount.destination);
  apply_attributes(fd.get(), mount);
  if (mount.type == "proc" && !context.proc)
    context.proc = std::move(fd);
}

}  // namespace

void mount_filesystems(Context& context) {
  for (const auto& mount : context.plan.mounts) {
    if (mount.seal_only) {
      apply_attributes(base::open_in_root(context.root.get(), mount.destination, O_PATH).get(), mount);
    } else if (mount.bind) {
      mount_bind(context, mount);
    } else {
      mount_filesystem(context, mount);
    }
  }
}

}  // namespace trine::isolation
