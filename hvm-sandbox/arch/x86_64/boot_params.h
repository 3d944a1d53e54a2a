#pragma once

#include <cstdint>
#include <string>

#include "memory/guest_memory.h"

namespace trine::hvm::x86 {

struct BootFacts {
  std::string command_line;
  std::uint64_t initramfs = 0;  ///< guest address; 0: none
  std::uint64_t initramfs_bytes = 0;
};

/// Writes what a kernel entered by PVH finds in %ebx: the start info with command line, memory map, initramfs
/// and the address of the ACPI tables. Throws base::Error for a command line that is too long.
/// Source: Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h.
void write_boot_params(const GuestMemory& memory, const BootFacts& facts);

}  // namespace trine::hvm::x86
