#pragma once

#include "background.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// Starts an instance and stays with it: its exit code. `background`: never returns but by throwing; `again`:
/// one that has ended, or was only made.
int start(const RunOptions& options, const Paths& paths, Background* background, const Record* again);

/// The instance that `options` ask for: a new one, whose request is kept when it is, or `again`. Throws
/// Error.
Instance open_for_start(const RunOptions& options, const Paths& paths, const Record* again);

}  // namespace trine::runtime::engine
