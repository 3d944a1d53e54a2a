#pragma once

#include <string>
#include <vector>

/// Interfaces that change their network namespace. Source: OCI runtime-spec 1.3
/// config-linux.md#network-devices, rtnetlink(7).
namespace trine::netns {

struct DeviceMove {
  std::string host_name;  ///< in the caller's network namespace
  std::string name;  ///< in the other; "%d" in it is replaced by the first free number. Empty: `host_name`
};

/// Moves interfaces into the network namespace of the descriptor `target`, renames them, gives them back
/// their permanent addresses of global scope, which the kernel takes on the way, and sets them up. Link
/// address and MTU stay as they are. Throws Error naming the interface; those before it have moved then.
void move_devices(const std::vector<DeviceMove>& devices, int target);

}  // namespace trine::netns
