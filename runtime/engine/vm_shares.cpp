#include "vm_shares.h"

#include <algorithm>

#include "runtime/backend/vm_shares.h"

namespace trine::runtime::engine {

void share_volumes(const std::vector<VolumeMount>& volumes, backend::VmOptions& vm) {
  for (isolation::Mount& mount : vm.plan.mounts) {
    mount.create_source |= std::ranges::any_of(volumes, [&](const VolumeMount& volume) {
      return volume.create_source && volume.target == mount.destination;
    });
  }
  backend::share_binds(vm);
}

}  // namespace trine::runtime::engine
