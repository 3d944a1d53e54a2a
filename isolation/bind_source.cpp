#include "bind_source.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "mount_api.h"
#include "rootfs.h"
#include "user_namespace.h"

namespace trine::isolation {
namespace {

constexpr unsigned long kRecursive = 16384;  // MS_REC; linux/mount.h excludes sys/mount.h

/// The user namespace that has a mount's mappings.
base::UniqueFd mapping_namespace(const Plan& plan, const Mount& mount) {
  if (!mount.uid_mappings.empty())
    return make_user_namespace(mount.uid_mappings, mount.gid_mappings);
  for (const auto& entry : plan.namespaces) {
    if (entry.type != CLONE_NEWUSER)
      continue;
    return entry.path.empty() ? make_user_namespace(plan.uid_mappings, plan.gid_mappings)
                              : base::open_file(entry.path, O_RDONLY);
  }
  throw base::Error("cannot map the owners of " + mount.destination + ": the container has no user namespace",
                    0, "give the mount uidMappings and gidMappings of its own");
}

}  // namespace

void map_owners(int tree, const Plan& plan, const Mount& mount) {
  const base::UniqueFd user_namespace = mapping_namespace(plan, mount);
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(user_namespace.get());
  const unsigned flags = AT_EMPTY_PATH | (mount.idmap_recursive ? AT_RECURSIVE : 0U);
  if (::syscall(SYS_mount_setattr, tree, "", flags, &attributes, sizeof attributes) == 0)
    return;
  std::string hint;
  if (errno == EINVAL)
    hint = "the file system of " + mount.source + " cannot map owners on this kernel";
  if (errno == EPERM)
    hint = "only root of the host may map owners, and only of a mount that has no mapping yet";
  if (errno == ENOSYS)
    hint = "it needs Linux 5.12";
  base::throw_errno("cannot map the owners of " + mount.destination, hint);
}

bool detach_from_host(int tree, const Root& root, const std::string& where) {
  mount_attr attributes{};
  attributes.propagation = propagation_of_host_mounts(root.propagation) & ~kRecursive;
  if (::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) ==
      0)
    return true;
  if (errno != ENOSYS)
    base::throw_errno("cannot detach " + where + " from the host's mounts");
  return false;
}

base::UniqueFd open_bind_source(const Mount& mount) {
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

base::UniqueFd take_bind_source(const Plan& plan, const Mount& mount) {
  base::UniqueFd tree = clone_tree(open_bind_source(mount).get(), "", mount.recursive);
  if (mount.idmap)
    map_owners(tree.get(), plan, mount);
  if (!detach_from_host(tree.get(), plan.root, mount.source))
    tree.reset();
  return tree;
}

BindSources take_bind_sources(const Plan& plan, bool all) {
  // An ordinary user has no right to take them, and what the namespace's root may reach is what the user may.
  const bool in_user_namespace =
      ::geteuid() == 0 && std::ranges::any_of(plan.namespaces, [](const Namespace& entry) {
        return entry.type == CLONE_NEWUSER;
      });
  BindSources sources;
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const Mount& mount = plan.mounts[i];
    if (!mount.bind || mount.remount || !mount.symlink_target.empty() || mount.seal_only ||
        !mount.source_in_root.empty() || !(mount.idmap || in_user_namespace || all))
      continue;
    if (base::UniqueFd tree = take_bind_source(plan, mount))
      sources.emplace(i, std::move(tree));
  }
  return sources;
}

}  // namespace trine::isolation
