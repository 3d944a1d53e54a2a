#pragma once

#include <optional>
#include <string>

#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

struct AttachRequest {
  bool input = true;  ///< what is typed goes to it
  bool pass_on_signals = true;
  std::string detach_keys;  ///< bytes that leave it alone again; empty: none do
};

/// Shows what an instance in the background writes from now on, and gives it what is typed, until it ends.
/// Its exit code; 0 when it was left alone by the keys. Throws Error.
int attach_to_instance(const Paths& paths, const std::string& reference, const AttachRequest& request);

/// "ctrl-p,ctrl-q" or "a,ctrl-@" as bytes; nothing when it is no such list. Source: docker attach
/// --detach-keys.
std::optional<std::string> parse_detach_keys(std::string_view text);

}  // namespace trine::runtime::engine
