#pragma once

#include <cstdint>

namespace trine::hvm {

/// What a disk may do in a second; 0: as much as it can. A second's worth may be done at once.
struct DiskLimits {
  std::uint64_t bytes = 0;
  std::uint64_t requests = 0;
};

}  // namespace trine::hvm
