#pragma once

#include "runtime/oci/spec.h"

namespace trine::runtime::oci {

/// What a container of an image gets before the image and the user have their say: all namespaces but the
/// user's, private mounts, Docker's mounts, masked and read-only paths. Capabilities and seccomp are the
/// caller's to add.
Spec default_spec();

}  // namespace trine::runtime::oci
