#pragma once

#include "base/unique_fd.h"

namespace trine::hvm {

/// Opens /dev/kvm for a monitor that cannot reach it itself. Throws base::Error with the cure when there is
/// none, or it may not be opened.
base::UniqueFd open_kvm_device();

}  // namespace trine::hvm
