#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// Runs newuidmap or newgidmap. Throws Error with what it says, and the package when it is missing.
void run_mapper(const std::string& program, const std::vector<std::string>& arguments);

/// What those two take, to write the mappings of `pid`.
std::vector<std::string> mapper_arguments(pid_t pid, const std::vector<IdMapping>& mappings);

/// Of a user namespace that has none yet. Throws Error.
void write_id_mappings(pid_t pid, const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids);

/// A new user namespace that nobody is in, for its mappings alone. Throws Error.
base::UniqueFd make_user_namespace(const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids);

}  // namespace trine::isolation
