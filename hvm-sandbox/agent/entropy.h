#pragma once

#include <string_view>

namespace trine::hvm {

/// Adds the bytes to the kernel's randomness, and has it be drawn from them at once. Each byte counts for
/// four bits: they come as hexadecimal digits. False, and nothing is done, for less than kLeastSeed or more
/// than kMostSeed; throws base::Error when the kernel does not take them.
/// Source: random(4).
bool reseed(std::string_view bytes);

}  // namespace trine::hvm
