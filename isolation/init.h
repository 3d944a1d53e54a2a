#pragma once

#include "bind_source.h"
#include "channel.h"
#include "isolation/start.h"
#include "staging.h"

namespace trine::isolation {

/// The child's life from clone to exec. Failures go to the channel. `joined`: see clone_in_user_namespace().
[[noreturn]] void run_child(const Plan& plan, const StartHooks& hooks, const BindSources& sources,
                            const Staging* staging, std::uint64_t joined, Channel& channel);

/// The same for a process that enters a container. `plan` has the process and its filter only.
[[noreturn]] void run_joining_child(const Plan& plan, const JoinPlan& join, const StartHooks& hooks,
                                    Channel& channel);

}  // namespace trine::isolation
