#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "base/error.h"
#include "base/in_root.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

/// One empty, read-only directory serves all masked directories of a container: a tmpfs for each would cost a
/// superblock each. The first attachment is the one that later ones are cloned from.
class EmptyDirectory {
 public:
  void cover(int target, const std::string& path) {
    if (first_)
      return attach(clone_tree(first_.get(), "", false).get(), target, path);
    const FilesystemContext filesystem("tmpfs");
    filesystem.set("source", "tmpfs");
    filesystem.set("mode", "0555");
    filesystem.set("nr_inodes", "1");
    first_ = filesystem.mount(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    attach(first_.get(), target, path);
  }

 private:
  base::UniqueFd first_;
};

/// The container's /dev/null, for masked files: opened once and checked to be what it says.
base::UniqueFd open_null(const Context& context) {
  base::UniqueFd null = base::try_open_in_root(context.root.get(), "/dev/null", O_PATH | O_NOFOLLOW);
  if (!null)
    base::throw_errno("cannot open /dev/null of the container to mask files with it");
  struct stat status{};
  if (::fstat(null.get(), &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
    throw base::Error("cannot mask files: /dev/null of the container is not the null device", 0,
                      "mount a tmpfs on /dev, so that the image cannot put something else there");
  }
  return null;
}

void mask(const Context& context, const std::string& path, EmptyDirectory& empty, base::UniqueFd& null) {
  const base::UniqueFd target = base::try_open_in_root(context.root.get(), path, O_PATH);
  if (!target) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
      return;  // nothing there to hide
    base::throw_errno("cannot mask " + path);
  }
  struct stat status{};
  if (::fstat(target.get(), &status) != 0)
    base::throw_errno("cannot mask " + path);
  if (S_ISDIR(status.st_mode))
    return empty.cover(target.get(), path);
  if (!null)
    null = open_null(context);
  attach(clone_tree(null.get(), "", false).get(), target.get(), path);
}

void make_read_only(const Context& context, const std::string& path) {
  const base::UniqueFd target = base::try_open_in_root(context.root.get(), path, O_PATH);
  if (!target) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
      return;
    base::throw_errno("cannot make " + path + " read-only");
  }
  const base::UniqueFd tree = clone_tree(target.get(), "", true);
  attach(tree.get(), target.get(), path);
  change_attributes(tree.get(), {.set = MOUNT_ATTR_RDONLY}, path);
}

}  // namespace

void hide_paths(Context& context) {
  EmptyDirectory empty;
  base::UniqueFd null;
  for (const auto& path : context.plan.read_only_paths)
    make_read_only(context, path);
  for (const auto& path : context.plan.masked_paths)
    mask(context, path, empty, null);
}

}  // namespace trine::isolation
