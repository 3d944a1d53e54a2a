#pragma once

#include "reader.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::oci {

/// linux.seccomp of config.json.
Seccomp read_seccomp(const Reader& reader);

}  // namespace trine::runtime::oci
