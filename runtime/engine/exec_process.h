#pragma once

#include <string>

#include "runtime/backend/joined_process.h"
#include "runtime/engine/exec.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// What the instance's first process was given. Throws Error when it is not there, or another version's.
backend::JoinedProcess load_first_process(const Paths& paths, const Record& record);

/// The process that `options` ask for, in an instance whose first one is `first`. Docker's rules.
backend::JoinedProcess make_exec_process(backend::JoinedProcess first, const ExecOptions& options);

}  // namespace trine::runtime::engine
