#pragma once

#include <cstdint>
#include <vector>

#include "base/unique_fd.h"
#include "memory/guest_memory.h"

namespace trine::hvm {

struct LoadedInitramfs {
  std::uint64_t address = 0;  ///< page-aligned; 0: there is none
  std::uint64_t size = 0;
};

/// Reads cpio archives one behind the other, each at a multiple of 4 bytes as the kernel wants it, into the
/// top of the memory that ends at `end`, above `lowest`. Throws base::Error when one cannot be read or they
/// do not fit. Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
LoadedInitramfs load_initramfs(const std::vector<base::UniqueFd>& archives, const GuestMemory& memory,
                               std::uint64_t lowest, std::uint64_t end);

}  // namespace trine::hvm
