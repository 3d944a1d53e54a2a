#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "jail/confine.h"

namespace trine::hvm {

/// Holds when (argument & mask) == value.
struct ArgumentCheck {
  unsigned argument = 0;  ///< 0..5
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
};

/// A call that may be made. One that is listed several times needs one of its checks to hold.
struct AllowedCall {
  std::uint32_t number = 0;  ///< __NR_…
  std::optional<ArgumentCheck> check;
};

/// The list of a kind of thread, the frequent calls first.
std::span<const AllowedCall> allowed_calls(ThreadKind kind);

}  // namespace trine::hvm
