#include "isolation/live_mount.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/process.h"
#include "channel.h"
#include "mount_api.h"
#include "report.h"

namespace trine::isolation {
namespace {

void enter(const LiveContainer& container) {
  // The container sees this process, which holds descriptors of the host's: nobody in there may trace it.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    base::throw_errno("cannot hide from the container");
  const auto wanted = static_cast<int>(container.namespaces & (CLONE_NEWNS | CLONE_NEWUSER));
  if (::setns(container.pidfd, wanted) != 0)
    base::throw_errno("cannot enter the container's mount namespace");
  // What is made in there belongs to the container's root.
  if ((wanted & CLONE_NEWUSER) != 0 &&
      (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)) {
    base::throw_errno("cannot become root in the container's user namespace");
  }
  ::umask(0);
}

/// Runs `work` in a child inside the container, with the container's root and the host's /proc/self/fd. The
/// answer of `work` comes back; so does what it throws.
bool run_inside(const LiveContainer& container, const std::function<bool(int root, int fds)>& work) {
  if ((container.namespaces & CLONE_NEWNS) == 0) {
    throw base::Error("the container has no mount namespace of its own: its mounts are the host's", 0,
                      "mount on the host itself");
  }
  ChannelPair channel = make_channel();
  base::Process process = base::clone_process({});
  if (!process) {
    channel.caller.close();
    try {
      const base::UniqueFd fds = base::open_file("/proc/self/fd", O_PATH | O_DIRECTORY);
      enter(container);
      const base::UniqueFd root = base::open_file("/", O_PATH | O_DIRECTORY);
      ::_exit(work(root.get(), fds.get()) ? 0 : 1);
    } catch (const base::Error& error) {
      channel.child.send_failure(
          {.message = error.message(), .hint = error.hint(), .errno_value = error.errno_value()});
    } catch (const std::exception& error) {
      channel.child.send_failure({.message = error.what(), .hint = {}});
    }
    ::_exit(2);
  }
  channel.child.close();
  const auto message = channel.caller.receive();
  const base::ExitStatus status = process.wait();
  if (message)
    rethrow(message->failure);
  if (status.code > 1)
    throw base::Error("the child that was to change the container's mounts has ended");
  return status.code == 0;
}

/// "/a/../proc/./x" -> "/proc/x", as far as names alone can tell.
std::string normal(const std::string& path) {
  std::string result;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name == "..")
      result.resize(result.empty() ? 0 : result.rfind('/'));
    else if (!name.empty() && name != ".")
      result += "/" + name;
  }
  return result.empty() ? "/" : result;
}

void check_destination(const std::string& destination) {
  const std::string where = normal(destination);
  if (!destination.starts_with('/'))
    throw base::Error("the place of a mount, '" + destination + "', is not an absolute path");
  if (where == "/")
    throw base::Error("cannot change the mount on /: it is the container's root");
  if (where == "/proc" || where.starts_with("/proc/"))
    throw base::Error("cannot change the mounts at " + destination +
                      ": /proc and what is below it are the runtime's");
}

/// By the descriptor, after all symlinks: neither the root nor procfs, under whatever name.
void check_place(int root, int place, const std::string& destination) {
  struct stat own{};
  struct stat top{};
  struct statfs filesystem{};
  if (::fstat(place, &own) != 0 || ::fstat(root, &top) != 0 || ::fstatfs(place, &filesystem) != 0)
    base::throw_errno("cannot look at " + destination + " in the container");
  if (own.st_dev == top.st_dev && own.st_ino == top.st_ino)
    throw base::Error("cannot change the mount on " + destination + ": it leads to the container's root");
  if (filesystem.f_type == PROC_SUPER_MAGIC)
    throw base::Error("cannot change the mounts at " + destination + ": it leads into the container's /proc");
}

base::UniqueFd open_place(int root, const std::string& destination, bool is_directory) {
  base::UniqueFd place = base::try_open_in_root(root, destination, O_PATH);
  if (!place && errno != ENOENT)
    base::throw_errno("cannot open " + destination + " in the container");
  if (!place)
    place = is_directory ? base::make_directories_in_root(root, destination)
                         : base::make_file_in_root(root, destination);
  check_place(root, place.get(), destination);
  return place;
}

/// Private or slave before anything else: a copy of the host's shared mount would carry what the container
/// mounts below it to the host.
void set_propagation(int tree, const Mount& mount) {
  unsigned long first = MS_PRIVATE;
  for (const unsigned long wanted : mount.propagation) {
    if ((wanted & MS_SLAVE) != 0)
      first = MS_SLAVE;
  }
  change_attributes(tree, {.recursive = true, .propagation = first}, mount.destination);
  for (const unsigned long wanted : mount.propagation) {
    const bool recursive = (wanted & MS_REC) != 0;
    change_attributes(tree,
                      {.recursive = recursive, .propagation = wanted & ~static_cast<unsigned long>(MS_REC)},
                      mount.destination);
  }
}

void set_attributes(int tree, const Mount& mount) {
  change_attributes(tree, {.set = mount.set_attributes, .clear = mount.clear_attributes}, mount.destination);
  change_attributes(
      tree,
      {.set = mount.recursive_set_attributes, .clear = mount.recursive_clear_attributes, .recursive = true},
      mount.destination);
}

void add_bind(const LiveContainer& container, const Mount& mount) {
  const base::UniqueFd source = base::open_file(mount.source, O_PATH);
  struct stat status{};
  if (::fstat(source.get(), &status) != 0)
    base::throw_errno("cannot look at " + mount.source);
  const base::UniqueFd tree = clone_tree(source.get(), "", mount.recursive);
  set_propagation(tree.get(), mount);
  set_attributes(tree.get(), mount);
  const bool is_directory = S_ISDIR(status.st_mode);
  run_inside(container, [&](int root, int) {
    attach(tree.get(), open_place(root, mount.destination, is_directory).get(), mount.destination);
    return true;
  });
}

/// Made inside, so that its files have the container's owners.
void add_tmpfs(const LiveContainer& container, const Mount& mount) {
  run_inside(container, [&](int root, int) {
    const FilesystemContext filesystem("tmpfs");
    filesystem.set("source", mount.source.empty() ? "tmpfs" : mount.source);
    filesystem.set_all(mount.data);
    const base::UniqueFd made = filesystem.mount(mount.set_attributes);
    attach(made.get(), open_place(root, mount.destination, true).get(), mount.destination);
    return true;
  });
}

bool is_mount_root(int place) {
  struct statx info{};
  return ::statx(place, "", AT_EMPTY_PATH, STATX_TYPE, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

void add_live_mount(const LiveContainer& container, const Mount& mount) {
  check_destination(mount.destination);
  if (mount.bind)
    return add_bind(container, mount);
  if (mount.type == "tmpfs")
    return add_tmpfs(container, mount);
  throw base::Error("cannot mount " + (mount.type.empty() ? "a nameless type" : mount.type) + " on " +
                        mount.destination + " of a running container",
                    0, "bind and tmpfs can be added");
}

bool remove_live_mount(const LiveContainer& container, const std::string& destination) {
  check_destination(destination);
  return run_inside(container, [&](int root, int fds) {
    const base::UniqueFd place = base::try_open_in_root(root, destination, O_PATH);
    if (!place && (errno == ENOENT || errno == ENOTDIR))
      return false;
    if (!place)
      base::throw_errno("cannot open " + destination + " in the container");
    check_place(root, place.get(), destination);
    if (!is_mount_root(place.get()))
      return false;
    // umount2() takes no descriptor. Through the host's /proc/self/fd it gets the very mount that was
    // checked.
    if (::fchdir(fds) != 0 || ::umount2(std::to_string(place.get()).c_str(), MNT_DETACH) != 0)
      base::throw_errno("cannot unmount " + destination);
    return true;
  });
}

}  // namespace trine::isolation
