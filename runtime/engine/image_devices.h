#pragma once

#include "runtime/engine/run_options.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::engine {

/// What --device asks for: the node, and the right to use it. A directory of the host's stands for every
/// device below it. Throws base::Error naming the flag.
void add_devices(const RunOptions& options, oci::Spec& spec);

/// Every device of the host's, for --privileged.
void add_host_devices(oci::Spec& spec);

}  // namespace trine::runtime::engine
