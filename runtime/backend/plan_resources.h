#pragma once

#include "cgroups/limits.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::backend {

/// linux.resources as limits. The devices of the specification and of `devices` are allowed on top of its
/// rules.
cgroups::Limits make_limits(const oci::Resources& resources, const std::vector<oci::Device>& devices);

}  // namespace trine::runtime::backend
