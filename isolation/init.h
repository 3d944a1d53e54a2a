#pragma once

#include "channel.h"
#include "isolation/start.h"

namespace trine::isolation {

/// The child's life from clone to exec. Failures go to the channel.
[[noreturn]] void run_child(const Plan& plan, const StartHooks& hooks, const Channel& channel);

}  // namespace trine::isolation
