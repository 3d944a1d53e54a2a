#pragma once

#include <string>
#include <vector>

namespace trine::hvm {

/// Mounts the first `count` disks, mapped ones or others, each a read-only EROFS, and returns where. Throws
/// base::Error naming the disk that there is not, or whose content is no EROFS.
std::vector<std::string> mount_layers(unsigned count, bool mapped);

}  // namespace trine::hvm
