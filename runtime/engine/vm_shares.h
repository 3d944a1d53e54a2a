#pragma once

#include <vector>

#include "runtime/backend/vm.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// Opens what the plan binds of the host's, which `volumes` asked for, and has the plan take it from where
/// the guest will find it. What is missing is made or refused as for a container. Throws base::Error naming
/// the source.
void share_volumes(const std::vector<VolumeMount>& volumes, backend::VmOptions& vm);

}  // namespace trine::runtime::engine
