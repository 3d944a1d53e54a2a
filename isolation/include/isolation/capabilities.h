#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "isolation/plan.h"

/// Source: capabilities(7), linux/capability.h.
namespace trine::isolation {

/// A bit mask with one capability.
constexpr std::uint64_t capability_bit(int number) {
  return std::uint64_t{1} << number;
}

/// "CAP_CHOWN" or "chown", in any case. Nothing for a name that is none.
std::optional<int> parse_capability(std::string_view name);

/// "CAP_CHOWN"; empty for a number without a name.
std::string_view capability_name(int number);

/// Every capability that the running kernel has.
std::uint64_t all_capabilities();

/// Those of them that we can hand on: the bounding set of the caller.
std::uint64_t available_capabilities();

/// Docker's fourteen: what a container's root gets unless told otherwise.
extern const std::uint64_t kDefaultCapabilities;

/// Takes everything else out of the bounding set, and has the permitted set survive the change of ids. Before
/// that change.
void drop_bounding(const Capabilities& capabilities);

/// Takes the four other sets. After the change of ids. Throws Error naming a capability that is not to be
/// had.
void set_capabilities(const Capabilities& capabilities);

}  // namespace trine::isolation
