#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "runtime/engine/run.h"

namespace trine::runtime::cli {

inline void require_instances(const char* verb, const std::vector<std::string>& references) {
  if (references.empty())
    throw base::Error(std::string("trine ") + verb + " needs an instance", 0, "trine ps lists them");
}

/// Does `act`, which returns an exit code, for each; one that fails does not keep the others from their turn.
/// The worst exit code.
template <typename Range, typename Act>
int for_each_of(Range& range, Act act) {
  int code = 0;
  for (auto& one : range) {
    try {
      code = std::max(code, act(one));
    } catch (const base::Error& error) {
      base::print_error(error);
      code = engine::kExitFailure;
    }
  }
  return code;
}

}  // namespace trine::runtime::cli
