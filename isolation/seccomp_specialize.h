#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

/// Reading a classic BPF filter of seccomp: jumps go forward only, so that all of it is decidable.
namespace trine::isolation {

/// Where a filter's decisions change.
struct SeccompBoundaries {
  std::set<std::uint32_t> architectures;  ///< AUDIT_ARCH_… that it compares with
  std::set<std::uint32_t> numbers;  ///< first numbers of the ranges within which it decides alike; 0 too
};

/// Nothing for a filter that computes with the number or the architecture.
std::optional<SeccompBoundaries> find_boundaries(std::span<const sock_filter> program);

/// What is left of the filter when architecture and number are known: a self-contained program that looks at
/// arguments alone, most often a single return. Nothing when it does not understand the filter.
std::optional<std::vector<sock_filter>> specialize(std::span<const sock_filter> program,
                                                   std::uint32_t architecture, std::uint32_t number);

}  // namespace trine::isolation
