#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

/// Version 1 units to those of version 2. Source: OCI runtime-spec 1.3 config-linux.md#control-groups and
/// Linux Documentation/admin-guide/cgroup-v2.rst.
namespace trine::cgroups {

/// CPU shares 2..262144 to cpu.weight 1..10000, linearly.
constexpr std::uint64_t weight_of_shares(std::uint64_t shares) {
  const std::uint64_t bounded = std::clamp<std::uint64_t>(shares, 2, 262'144);
  return 1 + (bounded - 2) * 9'999 / 262'142;
}

/// blkio weight 10..1000 to io.weight 1..10000, linearly.
constexpr std::uint64_t io_weight_of_blkio(std::uint64_t weight) {
  const std::uint64_t bounded = std::clamp<std::uint64_t>(weight, 10, 1'000);
  return 1 + (bounded - 10) * 9'999 / 990;
}

/// A limit as v2 writes it: -1 is "max".
inline std::string number_or_max(std::int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

}  // namespace trine::cgroups
