#pragma once

#include "runtime/backend/vm.h"

namespace trine::runtime::backend {

/// Opens what the plan binds of the host's, and has the plan take it from where the guest will find it. What
/// is missing is made or refused as for a container. Throws base::Error naming the source.
void share_binds(VmOptions& vm);

/// The same for the root: a directory of the host, which the plan names. In one that is read-only the places
/// to mount on are made first. Before share_binds().
void share_root(VmOptions& vm);

}  // namespace trine::runtime::backend
