#pragma once

#include <vector>

#include "hvm-sandbox/protocol.h"

namespace trine::hvm {

/// Mounts what the host shares with the guest, each in kSharesDirectory by its tag. Throws base::Error.
void mount_shares(const std::vector<GuestShare>& shares);

}  // namespace trine::hvm
