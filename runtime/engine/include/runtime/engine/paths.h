#pragma once

#include <string>

namespace trine::runtime::engine {

/// Where state lives.
struct Paths {
  std::string run;  ///< what dies with the boot: /run/trine, or $XDG_RUNTIME_DIR/trine
  std::string lib;  ///< what does not: /var/lib/trine, or $XDG_DATA_HOME/trine
};

}  // namespace trine::runtime::engine
