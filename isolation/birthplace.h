#pragma once

#include <cstdint>

#include "base/process.h"
#include "channel.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// Whether the plan names a user namespace that is there already.
bool joins_user_namespace(const Plan& plan);

/// Joins that user namespace, and before it, as the host's root, those other namespaces of the plan that need
/// not be its own. A mount namespace is left for later: paths are still the host's. Returns the CLONE_NEW…
/// of what was joined; 0 when the plan names no user namespace.
std::uint64_t join_user_namespace(const Plan& plan);

/// As base::clone_process(), for a child whose new pid namespace a user namespace that is there already is to
/// own: who is in another may not mount its procfs. The caller stays where it is, for there is no way back;
/// a process of a moment goes in and makes the child, which is the caller's own nevertheless. In the child,
/// which has joined what join_user_namespace() joins, `joined` tells so.
/// `channel` brings the errors, and is otherwise unused. Source: pid_namespaces(7), clone(2) CLONE_PARENT.
base::Process clone_in_user_namespace(const Plan& plan, const base::CloneOptions& options,
                                      const ChannelPair& channel, std::uint64_t& joined);

}  // namespace trine::isolation
