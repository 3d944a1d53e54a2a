#pragma once

#include <string>
#include <vector>

#include "isolation/plan.h"

namespace trine::isolation {

/// Whether trine runs for an unprivileged user, who needs a user namespace of his own to be root in.
bool is_rootless();

/// The name in /etc/passwd of the user for whom trine runs; empty when it has none.
std::string own_user_name();

/// Makes the calling process, which must have one thread only, root in a new user namespace: the user himself
/// is id 0 there, his ranges in /etc/subuid and /etc/subgid are 1 and up. The mappings are written by
/// newuidmap and newgidmap (shadow-utils), which check those files.
/// Throws Error with a hint when there is no range, no such program, or the kernel forbids it.
void enter_user_namespace();

/// The mappings of a user namespace for which none are given: the caller's own id is 0, the caller's ranges
/// in /etc/subuid and /etc/subgid, where there are any, are 1 and up.
struct IdMappings {
  std::vector<IdMapping> uids, gids;
};
IdMappings default_id_mappings();

}  // namespace trine::isolation
