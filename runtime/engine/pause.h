#pragma once

#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// As of when the record was read.
bool is_paused(const Record& record);

/// Lets an instance that is paused go on. Throws Error.
void resume(const Paths& paths, const Record& record);

}  // namespace trine::runtime::engine
