#pragma once

#include "base/unique_fd.h"
#include "isolation/seccomp.h"

namespace trine::isolation {

/// Installs the filter in the calling thread. Needs no_new_privs or CAP_SYS_ADMIN. The notify descriptor of
/// one that has one is delivered (seccomp_listener.h). Throws Error. Source: seccomp(2).
void load_seccomp(const SeccompFilter& filter);

}  // namespace trine::isolation
