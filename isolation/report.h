#pragma once

#include <functional>

#include "base/error.h"
#include "base/unique_fd.h"
#include "channel.h"

namespace trine::isolation {

/// Hears a child out until its program runs; returns the master of its terminal, if it has sent one. The
/// notify descriptor of its filter goes to `on_listener`. Throws its failure as Error or ExecError. With
/// kGate it must say that it waits: a child that is killed closes its channel as one does whose program runs.
enum class Until { kExec, kGate };
base::UniqueFd await_exec(const Channel& channel, const std::function<void(int)>& on_listener,
                          Until until = Until::kExec);

/// What a child sends when it fails, and what becomes of it in the caller.
Failure to_failure(const base::Error& error);
[[noreturn]] void rethrow(const Failure& failure);

}  // namespace trine::isolation
