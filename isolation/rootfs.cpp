#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "mount_api.h"
#include "overlay.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

}  // namespace

void detach_from_host_mounts(Context& context) {
  if (!context.has_new(CLONE_NEWNS))
    return;
  // Nothing that is mounted from here on may reach the host. A slave still sees what the host mounts later
  // below a shared directory, which some bundles want; a private one does not.
  const unsigned long propagation = context.plan.root.propagation;
  const unsigned long flags = propagation != 0 ? propagation : MS_SLAVE | MS_REC;
  if (::mount(nullptr, "/", nullptr, flags, nullptr) != 0) {
    base::throw_errno("cannot detach the mounts from the host's");
  }
}

void mount_root(Context& context) {
  const Root& root = context.plan.root;
  if (const auto* overlay = std::get_if<OverlayRoot>(&root.source)) {
    context.root = mount_overlay(*overlay, overlay->lower.front(), context.in_user_namespace);
    return;
  }
  // A bind mount of the directory on itself: pivot_root wants a mount point.
  const std::string& path = std::get<DirectoryRoot>(root.source).path;
  base::UniqueFd tree = clone_tree(AT_FDCWD, path, true);
  attach(tree.get(), base::open_file(path, O_PATH | O_DIRECTORY).get(), path);
  context.root = std::move(tree);
}

void enter_root(Context& context) {
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
