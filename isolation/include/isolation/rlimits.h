#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "isolation/plan.h"

/// Source: getrlimit(2).
namespace trine::isolation {

/// "RLIMIT_NOFILE" or "nofile", in any case.
std::optional<int> parse_rlimit_name(std::string_view name);

/// "RLIMIT_NOFILE"
std::string_view rlimit_name(int resource);

/// Docker's `nofile=1024:2048`, `core=0`, `nproc=-1` or `nproc=unlimited`. Throws Error.
Rlimit parse_ulimit(const std::string& text);

}  // namespace trine::isolation
