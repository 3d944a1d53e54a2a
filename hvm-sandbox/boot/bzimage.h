#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace trine::hvm {

/// The largest kernel that is unpacked.
constexpr std::size_t kMostKernelBytes = 512 << 20;

/// The ELF kernel inside a bzImage, unpacked. The guest would take seconds where the host takes milliseconds.
/// A file that is an ELF kernel already comes back as it is. The error says what is wrong with the file.
/// Source: Linux Documentation/x86/boot.rst, protocol 2.08 (payload_offset, payload_length).
std::expected<std::vector<std::byte>, std::string> unpack_kernel(std::span<const std::byte> image);

}  // namespace trine::hvm
