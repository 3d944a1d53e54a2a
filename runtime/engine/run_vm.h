#pragma once

#include "background.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/paths.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// run() in class vm, after it has cleared up and entered a user namespace where it needs one. `background`:
/// nothing in the foreground; `again`: one that ran before, or was only made.
int run_in_vm(const RunOptions& options, const Paths& paths, const ClassChoice& choice,
              Background* background, const Record* again);

}  // namespace trine::runtime::engine
