#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "netns/devices.h"

namespace trine::runtime::backend {

/// For isolation::StartHooks::on_network: moves `devices` into the network namespace of the process. Nothing
/// when there are none, so that no process waits for it.
std::function<void(pid_t)> network_mover(std::vector<netns::DeviceMove> devices);

}  // namespace trine::runtime::backend
