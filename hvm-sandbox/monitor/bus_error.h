#pragma once

namespace trine::hvm {

/// From now on a read of a mapped file behind its end, which somebody has moved, ends this process with
/// kExitFault and says why, whichever thread it is. Throws base::Error.
void explain_bus_errors();

}  // namespace trine::hvm
