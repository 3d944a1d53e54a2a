#pragma once

#include <string>
#include <vector>

#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// One thing that the VM class needs, as it was found.
struct Finding {
  enum class State {
    kGood,
    kSlow,     ///< works, but see `text`
    kMissing,  ///< no VM runs without it
  };
  std::string name;
  State state = State::kGood;
  std::string text;
  std::string hint;  ///< how to get it
};

/// Looks at what this host has for --isolation vm; a few instructions are really run in a guest. Never
/// throws.
std::vector<Finding> check_vm(const Paths& paths);

}  // namespace trine::runtime::engine
