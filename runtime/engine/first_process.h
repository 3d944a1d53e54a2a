#pragma once

#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// Sends a signal to the first process of an instance of any class. False when it has ended already. What is
/// paused cannot end: a signal that is to end it lets it go on, as in Docker.
bool signal_first(const Paths& paths, const RunningInstance& instance, int number);

}  // namespace trine::runtime::engine
