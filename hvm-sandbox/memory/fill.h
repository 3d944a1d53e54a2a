#pragma once

#include <cstdint>

#include "memory/guest_memory.h"

namespace trine::hvm {

/// Reads the part of a file that begins at `offset` to `place`, which nobody has written to yet: a hole of
/// the file leaves the memory as it is, zero. False when the file is shorter, or cannot be read.
bool fill_from_file(const GuestSlice& place, int file, std::uint64_t offset) noexcept;

}  // namespace trine::hvm
