#pragma once

#include <functional>

#include "base/unique_fd.h"

/// Where a container that is created waits to be started: a socket in its state directory, which its first
/// process listens on. It outlives the command that made it, and the command that starts the container hears
/// by it whatever still goes wrong.
namespace trine::isolation {

/// Makes the gate in `directory`; for StartHooks::gate. Throws Error.
base::UniqueFd make_gate(int directory);

/// Lets the container go on, and returns once its program has been executed. `on_listener` gets the notify
/// descriptor of its filter, when that has one. Throws Error, ExecError for the program itself.
void open_gate(int directory, const std::function<void(int listener)>& on_listener = {});

/// Removes the gate: the container is started, or gone.
void remove_gate(int directory);

/// Whether there is one: the container is created and not started.
bool has_gate(int directory);

}  // namespace trine::isolation
