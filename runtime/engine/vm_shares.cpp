#include "vm_shares.h"

#include <linux/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"
#include "isolation/bind_source.h"

namespace trine::runtime::engine {
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

void refuse_owner_mapping(const isolation::Mount& mount) {
  if (mount.idmap)
    throw base::Error("the owners of " + mount.destination + " cannot be mapped with --isolation vm", 0,
                      "leave idmap out: the guest sees the host's owners");
}

}  // namespace

void share_binds(const std::vector<VolumeMount>& volumes, backend::VmOptions& vm) {
  for (isolation::Mount& mount : vm.plan.mounts) {
    if (!mount.bind)
      continue;
    if (vm.shares.size() == backend::kMostShares) {
      throw base::Error("a VM has at most " + std::to_string(backend::kMostShares) + " mounts of the host's",
                        0, "mount a directory above several of them");
    }
    refuse_owner_mapping(mount);
    mount.create_source = std::ranges::any_of(volumes, [&](const VolumeMount& volume) {
      return volume.create_source && volume.target == mount.destination;
    });
    backend::VmShare share{
        .source = isolation::open_bind_source(mount),
        .tag = "share" + std::to_string(vm.shares.size()),
        .read_only = ((mount.set_attributes | mount.recursive_set_attributes) & MOUNT_ATTR_RDONLY) != 0};
    mount.source = backend::guest_share(share.tag, is_directory(share.source, mount));
    mount.create_source = false;
    vm.shares.push_back(std::move(share));
  }
}

}  // namespace trine::runtime::engine
