#pragma once

#include "devices/vsock/vsock.h"

namespace trine::hvm {

/// Hands each connection of the guest to whoever started the monitor: one end of a new socket pair goes over
/// `channel` with the port's number in decimal, the other is the device's.
Vsock::Connect make_connector(int channel);

}  // namespace trine::hvm
