#pragma once

namespace trine::hvm {

/// Pairs of queues that a network interface may have. More would be more rings to look into at each
/// interrupt, of which a device has one.
constexpr unsigned kMostNetQueues = 8;

}  // namespace trine::hvm
