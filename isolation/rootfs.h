#pragma once

namespace trine::isolation {

/// What becomes of the host's mounts in the container, as MS_… with MS_REC, when its bundle wants this for
/// its root.
unsigned long propagation_of_host_mounts(unsigned long wanted);

}  // namespace trine::isolation
