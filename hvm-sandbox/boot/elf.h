#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "memory/guest_memory.h"

namespace trine::hvm {

/// A kernel in guest memory, ready to be entered.
struct LoadedKernel {
  std::uint64_t entry = 0;  ///< guest address, in 32-bit protected mode without paging
  std::uint64_t end = 0;    ///< the first address behind it
};

/// Loads an uncompressed 64-bit x86 ELF kernel by its program headers and finds the entry that its PVH note
/// names. `file` is read with pread(2). `lowest` is where a kernel may begin at the earliest: what the
/// monitor itself writes lies below. The error says what is wrong with the file. Source: ELF-64 Object File
/// Format 1.5; Xen docs/misc/pvh.pandoc (XEN_ELFNOTE_PHYS32_ENTRY).
std::expected<LoadedKernel, std::string> load_elf(int file, const GuestMemory& memory, std::uint64_t lowest);

}  // namespace trine::hvm
