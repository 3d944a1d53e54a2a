#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"
#include "bind_source.h"
#include "copy_tree.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

/// Those that the kernel takes by name. "iversion" and "silent" it leaves to the file system.
constexpr std::array<std::pair<unsigned long, const char*>, 4> kSuperFlags{
    {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_LAZYTIME, "lazytime"}, {MS_MANDLOCK, "mand"}}};

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
                            ": it must be mounted on ordinary directory, and the root file system has "
                            "a symlink there",
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

/// What is bound from the container's own root, with what earlier mounts have put there.
base::UniqueFd take_from_root(Context& context, const Mount& mount) {
  const base::UniqueFd source = base::open_in_root(context.root.get(), mount.source_in_root, O_PATH);
  base::UniqueFd tree = clone_tree(source.get(), "", mount.recursive);
  if (!mount.idmap)
    return tree;
  context.channel.send(MessageKind::kUnmapped, tree.get());
  context.owners_mapped = false;
  while (!context.owners_mapped)
    receive_one(context);
  return tree;
}

/// `taken`: what is bound, by the caller already; or -1.
void mount_bind(Context& context, const Mount& mount, int taken) {
  base::UniqueFd own;
  if (taken < 0) {
    own = mount.source_in_root.empty() ? clone_tree(open_bind_source(mount).get(), "", mount.recursive)
                                       : take_from_root(context, mount);
    taken = own.get();
  }
  struct stat status{};
  if (::fstat(taken, &status) != 0)
    base::throw_errno("cannot look at " + mount.source);
  const base::UniqueFd target = open_target(context, mount, S_ISDIR(status.st_mode));
  attach(taken, target.get(), mount.destination);
  apply_attributes(taken, mount);
}

void make_symlink(const Context& context, const Mount& mount) {
  const auto slash = mount.destination.find_last_of('/');
  const base::UniqueFd parent =
      base::make_directories_in_root(context.root.get(), mount.destination.substr(0, slash + 1));
  if (::symlinkat(mount.symlink_target.c_str(), parent.get(), mount.destination.c_str() + slash + 1) != 0 &&
      errno != EEXIST)
    base::throw_errno("cannot make the symlink " + mount.destination);
}

void set_options(const FilesystemContext& filesystem, const Mount& mount) {
  for (const auto& [flag, name] : kSuperFlags) {
    if ((mount.super_flags & flag) != 0)
      filesystem.set_flag(name);
  }
  filesystem.set_all(mount.data);
}

/// Whether the SELinux label of the container's mounts is this one's. Those of the kernel have labels of
/// their own.
bool takes_label(const Context& context, const Mount& mount) {
  constexpr std::array kOwnLabels{"proc", "sysfs", "cgroup", "cgroup2", "mqueue"};
  return !context.plan.mount_label.empty() && std::ranges::find(kOwnLabels, mount.type) == kOwnLabels.end() &&
         mount.data.find("context=") == std::string::npos;
}

void check_selinux(const Plan& plan) {
  struct statfs status{};
  if (plan.mount_label.empty() ||
      (::statfs("/sys/fs/selinux", &status) == 0 && status.f_type == SELINUX_MAGIC))
    return;
  throw base::Error(
      "cannot label the mounts " + plan.mount_label + ": SELinux is not enabled on this machine", 0,
      "leave linux.mountLabel out");
}

/// What a tmpfs without a mode of its own gets: that of the directory which it hides.
std::string mode_of(int directory) {
  struct stat status{};
  if (::fstat(directory, &status) != 0)
    base::throw_errno("cannot look at the place of a tmpfs");
  std::array<char, 8> text{};
  const auto end = std::to_chars(text.begin(), text.end(), status.st_mode & 07777U, 8).ptr;
  return {text.begin(), end};
}

bool has_option(const Mount& mount, std::string_view name) {
  const auto options = base::split(mount.data, ',');
  return std::ranges::any_of(options, [name](const std::string& option) { return option.starts_with(name); });
}

base::UniqueFd make_filesystem(const Context& context, const Mount& mount, const std::string& mode,
                               std::uint64_t attributes) {
  const FilesystemContext filesystem(mount.type);
  filesystem.set("source", mount.source.empty() ? mount.type : mount.source);
  if (!mode.empty())
    filesystem.set("mode", mode);
  set_options(filesystem, mount);
  if (takes_label(context, mount))
    filesystem.set("context", context.plan.mount_label);
  return filesystem.mount(attributes);
}

base::UniqueFd mount_new(const Context& context, const Mount& mount, const std::string& mode,
                         std::uint64_t attributes) {
  // A new sysfs shows the network namespace of its maker, and a cgroup file system its cgroup namespace, who
  // must own it. A container with a user namespace of its own and the host's of that kind does not. Of sysfs
  // the kernel says so before there is anything to configure.
  const std::string host = mount.type == "sysfs" ? "/sys" : mount.host_view;
  try {
    return make_filesystem(context, mount, mode, attributes);
  } catch (const base::Error& error) {
    if (error.errno_value() != EPERM || !context.in_user_namespace || host.empty())
      throw;
  }
  base::UniqueFd tree = clone_tree(AT_FDCWD, host, true);
  // Some of the host's groups may be root's of the user namespace, and they are below /sys (CVE-2023-25809).
  change_attributes(tree.get(), {.set = kAttrReadOnly, .recursive = true}, mount.destination);
  return tree;
}

void remount(Context& context, const Mount& mount) {
  std::erase_if(context.unsealed, [&](const auto& entry) { return entry.second == mount.destination; });
  const base::UniqueFd target = base::open_in_root(context.root.get(), mount.destination, O_PATH);
  if (mount.remount && !mount.bind && (mount.super_flags != 0 || !mount.data.empty())) {
    const FilesystemContext filesystem(target.get(), mount.destination);
    set_options(filesystem, mount);
    filesystem.reconfigure();
  }
  apply_attributes(target.get(), mount);
}

/// Whether it is to be read-only, but not before something else is made in it: places of later mounts,
/// devices.
bool is_sealed_later(const Plan& plan, const Mount& mount, std::span<const Mount> later) {
  const std::uint64_t attributes = mount.set_attributes | mount.recursive_set_attributes;
  if ((attributes & kAttrReadOnly) == 0 || mount.type != "tmpfs")
    return false;
  const auto is_below = [&](const std::string& path) { return path.starts_with(mount.destination + "/"); };
  return mount.destination == "/dev" ||
         std::ranges::any_of(later, [&](const Mount& entry) { return is_below(entry.destination); }) ||
         std::ranges::any_of(plan.devices, [&](const Device& device) { return is_below(device.path); });
}

void mount_filesystem(Context& context, const Mount& listed, std::span<const Mount> later) {
  Mount mount = listed;
  const bool sealed_later = is_sealed_later(context.plan, mount, later);
  if (sealed_later) {
    mount.set_attributes &= ~kAttrReadOnly;
    mount.recursive_set_attributes &= ~kAttrReadOnly;
  }
  if (mount.type == "sysfs")
    enter_network_namespace(context);
  if (mount.type == "cgroup" || mount.type == "cgroup2")
    enter_cgroups(context);
  const bool inherits_mode =
      mount.type == "tmpfs" && !has_option(mount, "mode=") &&
      base::try_open_in_root(context.root.get(), mount.destination, O_PATH | O_DIRECTORY);
  const base::UniqueFd target = open_target(context, mount, true);
  const std::uint64_t first = mount.copy_up ? mount.set_attributes & ~kAttrReadOnly : mount.set_attributes;
  base::UniqueFd fd = mount_new(context, mount, inherits_mode ? mode_of(target.get()) : "", first);
  if (mount.copy_up)
    copy_tree(target.get(), fd.get(), mount.destination);
  attach(fd.get(), target.get(), mount.destination);
  apply_attributes(fd.get(), mount);
  if (sealed_later)
    context.unsealed.emplace_back(std::move(fd), mount.destination);
  else if (mount.type == "proc" && !context.proc)
    context.proc = std::move(fd);
}

}  // namespace

void mount_filesystems(Context& context) {
  check_selinux(context.plan);
  for (std::size_t i = 0; i < context.plan.mounts.size(); ++i) {
    const Mount& mount = context.plan.mounts[i];
    const auto source = context.bind_sources->find(i);
    if (mount.seal_only || mount.remount) {
      remount(context, mount);
    } else if (!mount.symlink_target.empty()) {
      make_symlink(context, mount);
    } else if (mount.bind) {
      mount_bind(context, mount, source == context.bind_sources->end() ? -1 : source->second.get());
    } else {
      mount_filesystem(context, mount, std::span(context.plan.mounts).subspan(i + 1));
    }
  }
}

}  // namespace trine::isolation
