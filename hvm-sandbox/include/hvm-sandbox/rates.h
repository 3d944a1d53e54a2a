#pragma once

#include <cstdint>

/// What a device's limits may be, a second.
namespace trine::hvm {

constexpr std::uint64_t kLeastRateBytes = 512;
constexpr std::uint64_t kMostRateBytes = 1ULL << 50U;
/// Of requests and packets.
constexpr std::uint64_t kLeastRateCount = 1;
constexpr std::uint64_t kMostRateCount = 1ULL << 30U;

}  // namespace trine::hvm
