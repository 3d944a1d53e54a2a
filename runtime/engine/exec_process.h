#pragma once

#include <string>

#include "runtime/backend/joined_process.h"
#include "runtime/engine/exec.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// Keeps what the instance's first process is given, for exec to begin with. To be called before its record
/// is saved. Throws Error.
void save_first_process(const Instance& instance, const backend::JoinedProcess& process);
/// Throws Error when it is not there, or another version's.
backend::JoinedProcess load_first_process(const Paths& paths, const Record& record);

/// The process that `options` ask for, in an instance whose first one is `first`. Docker's rules.
backend::JoinedProcess make_exec_process(backend::JoinedProcess first, const ExecOptions& options);

}  // namespace trine::runtime::engine
