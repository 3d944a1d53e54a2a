#include "rootfs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "mount_api.h"
#include "overlay.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

/// Attached to the root that is left: no directory of the host's has to be there for it.
base::UniqueFd mount_empty_root() {
  constexpr std::uint64_t kAttributes = 0xf;  // MOUNT_ATTR_RDONLY, _NOSUID, _NODEV, _NOEXEC
  const FilesystemContext filesystem("tmpfs");
  filesystem.set("source", "empty");
  filesystem.set("mode", "0555");
  filesystem.set("nr_inodes", "1");
  base::UniqueFd mount = filesystem.mount(kAttributes);
  attach(mount.get(), base::open_file("/", O_PATH | O_DIRECTORY).get(), "/");
  return mount;
}

/// The mount that the root is taken from: mounts in a copy of a shared one would appear in the other, and
/// pivot_root(2) wants a parent that is not shared.
void make_parent_private(const Root& root) {
  const auto* overlay = std::get_if<OverlayRoot>(&root.source);
  std::filesystem::path path = std::filesystem::canonical(
      overlay != nullptr ? overlay->lower.front() : std::get<DirectoryRoot>(root.source).path);
  // Only a mount point has a propagation.
  while (::mount(nullptr, path.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    if (errno != EINVAL || path == path.root_path())
      base::throw_errno("cannot make the mount of the root private");
    path = path.parent_path();
  }
}

}  // namespace

/// Nothing that is mounted from here on may reach the host. A slave still sees what the host mounts later
/// below a shared directory, which some bundles want; a private one does not. Only a bundle that asks for
/// shared mounts keeps the host's, so that what it mounts in a volume is seen there. "Unbindable" waits until
/// the root is bound.
unsigned long propagation_of_host_mounts(unsigned long wanted) {
  if ((wanted & MS_SHARED) != 0)
    return wanted;
  if ((wanted & (MS_PRIVATE | MS_UNBINDABLE)) != 0)
    return MS_PRIVATE | MS_REC;
  return MS_SLAVE | MS_REC;
}

void detach_from_host_mounts(Context& context) {
  if (!context.has_new(CLONE_NEWNS))
    return;
  if (context.staging != nullptr)
    return enter_staging(*context.staging);
  const Root& root = context.plan.root;
  if (::mount(nullptr, "/", nullptr, propagation_of_host_mounts(root.propagation), nullptr) != 0)
    base::throw_errno("cannot detach the mounts from the host's");
  if ((root.propagation & MS_SHARED) != 0)
    make_parent_private(root);
}

void mount_root(Context& context) {
  if (context.staging != nullptr) {
    context.root.reset(::fcntl(context.staging->root.get(), F_DUPFD_CLOEXEC, 3));
    return;
  }
  const Root& root = context.plan.root;
  if (std::holds_alternative<HostRoot>(root.source)) {
    context.root = base::open_file("/", O_PATH | O_DIRECTORY);
    return;
  }
  if (std::holds_alternative<EmptyRoot>(root.source)) {
    context.root = mount_empty_root();
    return;
  }
  if (const auto* overlay = std::get_if<OverlayRoot>(&root.source)) {
    context.root = mount_overlay(*overlay, overlay->lower.front(), context.in_user_namespace);
    return;
  }
  // A bind mount of the directory on itself: pivot_root wants a mount point.
  const std::string& path = std::get<DirectoryRoot>(root.source).path;
  base::UniqueFd tree = clone_tree(AT_FDCWD, path, true);
  attach(tree.get(), base::open_file(path, O_PATH | O_DIRECTORY).get(), path);
  // In the host's own namespace all mounts of ours lie on this one, which the caller unmounts in the end.
  // They are to go no further, and on a shared mount it has become a shared one.
  if (context.plan.shares(CLONE_NEWNS))
    change_attributes(tree.get(), {.recursive = true, .propagation = MS_PRIVATE}, path);
  context.root = std::move(tree);
}

void change_root(int directory) {
  if (::fchdir(directory) != 0 || ::chroot(".") != 0)
    base::throw_errno("cannot enter the container's root");
}

void enter_root(Context& context) {
  if (std::holds_alternative<HostRoot>(context.plan.root.source))
    return;
  // The root of the host's namespace is the host's.
  if (context.plan.shares(CLONE_NEWNS))
    return change_root(context.root.get());
  // pivot_root(".", ".") stacks the old root on the new one, so that no directory in the image is needed to
  // hold it. Source: pivot_root(2), "pivot_root(".", ".")".
  const base::UniqueFd old_root = base::open_file("/", O_PATH | O_DIRECTORY);
  if (::fchdir(context.root.get()) != 0)
    base::throw_errno("cannot enter the new root");
  if (::syscall(SYS_pivot_root, ".", ".") != 0)
    base::throw_errno("cannot make the new root the root");
  // The old root must not pass its unmounting on to a host it may still be shared with.
  if (::fchdir(old_root.get()) != 0)
    base::throw_errno("cannot leave the old root");
  if (::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) {
    base::throw_errno("cannot detach the old root");
  }
  if (::umount2(".", MNT_DETACH) != 0)
    base::throw_errno("cannot unmount the old root");
  if (::chdir("/") != 0)
    base::throw_errno("cannot enter the new root");
}

void seal_root(Context& context) {
  for (const auto& [mount, where] : context.unsealed)
    change_attributes(mount.get(), {.set = kAttrReadOnly}, where);
  context.unsealed.clear();
  const Root& root = context.plan.root;
  if (root.read_only) {
    change_attributes(context.root.get(), {.set = kAttrReadOnly}, "/");
  }
  // What the bundle asks of the root's own propagation holds once the container's mounts are made.
  const unsigned long wanted = root.propagation & (MS_SHARED | MS_UNBINDABLE);
  if (wanted != 0 && ::mount(nullptr, "/", nullptr, wanted | (root.propagation & MS_REC), nullptr) != 0) {
    base::throw_errno("cannot set the propagation of the root");
  }
}

}  // namespace trine::isolation
