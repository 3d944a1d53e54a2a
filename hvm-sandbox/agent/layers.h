#pragma once

#include <string>
#include <vector>

namespace trine::hvm {

/// Mounts the first `count` disks, each a read-only EROFS, and returns where. Throws base::Error naming the
/// disk that there is not, or whose content is no EROFS.
std::vector<std::string> mount_layers(unsigned count);

}  // namespace trine::hvm
