#pragma once

#include "base/unique_fd.h"
#include "channel.h"

namespace trine::isolation {

/// Hears a child out until its program runs; returns the master of its terminal, if it has sent one.
/// Throws its failure as Error or ExecError.
base::UniqueFd await_exec(const Channel& channel);

[[noreturn]] void rethrow(const Failure& failure);

}  // namespace trine::isolation
