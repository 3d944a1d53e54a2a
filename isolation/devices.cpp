#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/in_root.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

struct Link {
  const char* name;
  const char* target;
};
// Source: OCI runtime-spec 1.3 runtime-linux.md#dev-symbolic-links.
constexpr std::array kLinks{Link{"fd", "/proc/self/fd"}, Link{"stdin", "/proc/self/fd/0"},
                            Link{"stdout", "/proc/self/fd/1"}, Link{"stderr", "/proc/self/fd/2"}};

mode_t file_type(const Device& device) {
  if (device.type == 'b')
    return S_IFBLK;
  return device.type == 'p' ? S_IFIFO : S_IFCHR;
}

struct Place {
  base::UniqueFd parent;
  std::string name;
};

Place open_place(const Context& context, std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  const auto slash = path.find_last_of('/');
  Place place{.parent = base::make_directories_in_root(context.root.get(), path.substr(0, slash + 1)),
              .name = path.substr(slash + 1)};
  if (place.name.empty() || place.name == "." || place.name == "..") {
    throw base::Error("cannot make the device " + path + ": it names a directory");
  }
  return place;
}

/// What the image already has there is taken only when it is that very device: an image that puts a symlink
/// or a file in the place of /dev/null would have us hand out, or write to, something else (CVE-2025-31133).
void check_existing(const Device& device, int parent, const std::string& name) {
  struct stat status{};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    base::throw_errno("cannot look at the device " + device.path);
  }
  const bool same = (status.st_mode & S_IFMT) == file_type(device) &&
                    (device.type == 'p' || status.st_rdev == makedev(device.major, device.minor));
  if (!same) {
    throw base::Error(
        "cannot make the device " + device.path + ": the root file system has something else there", EEXIST,
        "mount a tmpfs on /dev, or remove the file from the image");
  }
}

void make_node(const Context& context, const Device& device) {
  const Place place = open_place(context, device.path);
  const mode_t mode = file_type(device) | device.mode;
  const dev_t number = device.type == 'p' ? 0 : makedev(device.major, device.minor);
  if (::mknodat(place.parent.get(), place.name.c_str(), mode, number) != 0) {
    if (errno != EEXIST)
      base::throw_errno("cannot make the device " + device.path);
    return check_existing(device, place.parent.get(), place.name);
  }
  if ((device.uid != 0 || device.gid != 0) &&
      ::fchownat(place.parent.get(), place.name.c_str(), device.uid, device.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    base::throw_errno("cannot give the device " + device.path + " to its owner");
  }
}

/// A user namespace may not make devices; the host's own node is bound in its place.
void bind_node(const Context& context, const Device& device) {
  const base::UniqueFd source(::open(device.path.c_str(), O_PATH | O_CLOEXEC));
  if (!source)
    base::throw_errno("cannot pass on the device " + device.path);
  struct stat status{};
  if (::fstat(source.get(), &status) != 0 || (status.st_mode & S_IFMT) != file_type(device) ||
      status.st_rdev != makedev(device.major, device.minor)) {
    throw base::Error("cannot pass on the device " + device.path + ": the host has another device there",
                      ENODEV);
  }
  const Place place = open_place(context, device.path);
  const base::UniqueFd made(::openat(place.parent.get(), place.name.c_str(),
                                     O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0666));
  const base::UniqueFd target(
      ::openat(place.parent.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!target)
    base::throw_errno("cannot make the device " + device.path);
  if (::fstat(target.get(), &status) == 0 && S_ISLNK(status.st_mode)) {
    throw base::Error("cannot make the device " + device.path + ": the root file system has a symlink there");
  }
  attach(clone_tree(source.get(), "", false).get(), target.get(), device.path);
}

void make_links(const Context& context, int dev) {
  for (const auto& link : kLinks) {
    if (::symlinkat(link.target, dev, link.name) != 0 && errno != EEXIST) {
      base::throw_errno("cannot make the link /dev/" + std::string(link.name));
    }
  }
  // /dev/ptmx must be the one of the container's own devpts.
  if (!base::try_open_in_root(context.root.get(), "/dev/pts/ptmx", O_PATH))
    return;
  if (::symlinkat("pts/ptmx", dev, "ptmx") == 0 || errno != EEXIST)
    return;
  if (::unlinkat(dev, "ptmx", 0) != 0 || ::symlinkat("pts/ptmx", dev, "ptmx") != 0) {
    base::throw_errno("cannot make the link /dev/ptmx");
  }
}

}  // namespace

void make_devices(Context& context) {
  const mode_t old_mask = ::umask(0);
  for (const auto& device : context.plan.devices) {
    if (context.in_user_namespace && device.type != 'p') {
      bind_node(context, device);
    } else {
      make_node(context, device);
    }
  }
  ::umask(old_mask);
  const bool host_dev = [&] {
    for (const auto& mount : context.plan.mounts) {
      if (mount.bind && mount.destination == "/dev")
        return true;
    }
    return false;
  }();
  // A /dev that was bound from the host is the host's; it gets no links of ours.
  if (host_dev)
    return;
  const base::UniqueFd dev =
      base::try_open_in_root(context.root.get(), "/dev", O_PATH | O_DIRECTORY, 0, base::Symlinks::kRefuse);
  if (dev)
    return make_links(context, dev.get());
  if (errno != ENOENT)
    base::throw_errno("cannot set up /dev");
}

}  // namespace trine::isolation
