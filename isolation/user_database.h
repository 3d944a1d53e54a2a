#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "isolation/plan.h"

namespace trine::isolation {

/// What Docker's `user[:group]` text comes to in a root file system.
struct ResolvedUser {
  User user;         ///< numbers only
  std::string home;  ///< from the passwd entry; "/" without one
};

/// `text`: empty (root), a name or a number, and optionally ":" and a group's name or number. `passwd` and
/// `group` are the contents of the root's own files; malformed lines in them are passed over.
/// A number needs no entry; a name does. Ids above 2^31 - 1 are refused: some programs take them for -1 or 0.
/// Throws Error naming the user or group that is unknown.
ResolvedUser resolve_user_text(std::string_view text, std::string_view passwd, std::string_view group);

}  // namespace trine::isolation
