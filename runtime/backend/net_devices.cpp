#include "net_devices.h"

#include <fcntl.h>

#include <string>

#include "base/file.h"

namespace trine::runtime::backend {

std::function<void(pid_t)> network_mover(std::vector<netns::DeviceMove> devices) {
  if (devices.empty())
    return {};
  return [moved = std::move(devices)](pid_t pid) {
    const base::UniqueFd target = base::open_file("/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY);
    netns::move_devices(moved, target.get());
  };
}

}  // namespace trine::runtime::backend
