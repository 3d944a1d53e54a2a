#include "runtime/backend/vm_shares.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "isolation/bind_source.h"

namespace trine::runtime::backend {
namespace {

/// True: a directory. Refuses what only the host's kernel could serve.
bool is_directory(const base::UniqueFd& source, const isolation::Mount& mount) {
  struct stat status{};
  if (::fstat(source.get(), &status) != 0)
    base::throw_errno("cannot share " + mount.source + " with a guest");
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    throw base::Error("cannot share " + mount.source + " with a guest: it is no directory or regular file", 0,
                      "a socket, pipe or device leads into the host's kernel: only a container can use it");
  }
  return S_ISDIR(status.st_mode);
}

/// Owners are mapped on the host: of the tree that the monitor gets, its kernel's statx and chown speak of
/// the mapped ones, and the guest's kernel need not know of a mapping.
base::UniqueFd take_source(const VmOptions& vm, const isolation::Mount& mount) {
  return mount.idmap ? isolation::take_bind_source(vm.plan, mount) : isolation::open_bind_source(mount);
}

/// Where it is in the guest.
std::string add_share(VmOptions& vm, const isolation::Mount& mount, bool read_only) {
  if (vm.shares.size() == kMostShares) {
    throw base::Error("a VM has at most " + std::to_string(kMostShares) + " mounts of the host's", 0,
                      "mount a directory above several of them");
  }
  VmShare share{.source = take_source(vm, mount),
                .tag = "share" + std::to_string(vm.shares.size()),
                .read_only = read_only};
  std::string place = guest_share(share.tag, is_directory(share.source, mount));
  vm.shares.push_back(std::move(share));
  return place;
}

/// What is bound from the root is what the mounts before it have made of it, which only the guest knows.
void refuse_mapping_in_root(const isolation::Mount& mount) {
  if (mount.idmap && !mount.source_in_root.empty())
    throw base::Error("cannot map the owners of " + mount.destination + " in a VM: " + mount.source +
                          " is in the root of the bundle",
                      0, "bind it from a directory outside of the root");
}

/// What was done on the host is not to be done again in the guest.
void drop_mapping(isolation::Mount& mount) {
  mount.idmap = mount.idmap_recursive = false;
  mount.uid_mappings.clear();
  mount.gid_mappings.clear();
}

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory.ends_with('/') ? directory : directory + "/");
}

/// Makes what the mounts lie on, in a root that the guest itself may not write.
void make_places(const isolation::Plan& plan, const std::string& root_path) {
  const base::UniqueFd root = base::open_file(root_path, O_PATH | O_DIRECTORY);
  for (auto mount = plan.mounts.begin(); mount != plan.mounts.end(); ++mount) {
    const bool on_another = std::any_of(plan.mounts.begin(), mount, [&](const isolation::Mount& earlier) {
      return is_below(mount->destination, earlier.destination);
    });
    if (on_another || mount->remount || mount->seal_only || !mount->symlink_target.empty())
      continue;
    const bool bound = mount->bind && mount->source_in_root.empty();
    if (!bound || is_directory(isolation::open_bind_source(*mount), *mount))
      (void)base::make_directories_in_root(root.get(), mount->destination);
    else
      (void)base::make_file_in_root(root.get(), mount->destination);
  }
}

}  // namespace

void share_binds(VmOptions& vm) {
  for (isolation::Mount& mount : vm.plan.mounts) {
    // The others change a mount that is there, or bind what is inside the root already.
    if (!mount.bind || mount.remount || mount.seal_only)
      continue;
    refuse_mapping_in_root(mount);
    if (!mount.source_in_root.empty())
      continue;
    const bool read_only = ((mount.set_attributes | mount.recursive_set_attributes) & MOUNT_ATTR_RDONLY) != 0;
    mount.source = add_share(vm, mount, read_only);
    drop_mapping(mount);
    mount.create_source = false;
  }
}

void share_root(VmOptions& vm) {
  auto& root = std::get<isolation::DirectoryRoot>(vm.plan.root.source);
  if (vm.plan.root.read_only)
    make_places(vm.plan, root.path);
  root.path = add_share(vm, {.destination = "/", .source = root.path}, vm.plan.root.read_only);
}

}  // namespace trine::runtime::backend
