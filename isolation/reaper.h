#pragma once

#include <functional>

#include "channel.h"

namespace trine::isolation {

/// PID 1 that does what a program seldom does (--init): starts the program as its child, passes on signals,
/// reaps orphans, and ends as the program ends. `execute` replaces the child by the program, or reports to
/// the channel and exits. Runs with the program's own identity and filter.
[[noreturn]] void run_reaper(const std::function<void()>& execute, bool terminal, const Channel& channel);

}  // namespace trine::isolation
