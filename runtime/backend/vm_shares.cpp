#include "runtime/backend/vm_shares.h"

#include <linux/mount.h>
#include <sys/stat.h>

#include "base/error.h"
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

/// Where it is in the guest.
std::string add_share(VmOptions& vm, const isolation::Mount& mount, bool read_only) {
  if (vm.shares.size() == kMostShares) {
    throw base::Error("a VM has at most " + std::to_string(kMostShares) + " mounts of the host's", 0,
                      "mount a directory above several of them");
  }
  VmShare share{.source = isolation::open_bind_source(mount),
                .tag = "share" + std::to_string(vm.shares.size()),
                .read_only = read_only};
  std::string place = guest_share(share.tag, is_directory(share.source, mount));
  vm.shares.push_back(std::move(share));
  return place;
}

void refuse_owner_mapping(const isolation::Mount& mount) {
  if (mount.idmap)
    throw base::Error("the owners of " + mount.destination + " cannot be mapped in a VM", 0,
                      "leave idmap out: the guest sees the host's owners");
}

}  // namespace

void share_binds(VmOptions& vm) {
  for (isolation::Mount& mount : vm.plan.mounts) {
    // The others change a mount that is there, or bind what is inside the root already.
    if (!mount.bind || mount.remount || mount.seal_only || !mount.source_in_root.empty())
      continue;
    refuse_owner_mapping(mount);
    const bool read_only = ((mount.set_attributes | mount.recursive_set_attributes) & MOUNT_ATTR_RDONLY) != 0;
    mount.source = add_share(vm, mount, read_only);
    mount.create_source = false;
  }
}

void share_root(VmOptions& vm) {
  auto& root = std::get<isolation::DirectoryRoot>(vm.plan.root.source);
  root.path = add_share(vm, {.destination = "/", .source = root.path}, vm.plan.root.read_only);
}

}  // namespace trine::runtime::backend
