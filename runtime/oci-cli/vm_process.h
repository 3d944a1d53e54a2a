#pragma once

#include "commands.h"
#include "handover.h"
#include "runtime/backend/joined_process.h"
#include "store.h"

namespace trine::runtime::oci_cli {

/// `exec` in a container of class vm: runs `process` beside the first one in the guest. In the foreground, in
/// this very process; detached, or with its terminal elsewhere, in a keeper of its own, whose number is
/// handed over. Returns the exit code. Throws Error, ExecError.
int exec_in_guest(const Globals& globals, const Container& container, backend::JoinedProcess process,
                  const Handover& handover);

/// `trine-oci __exec ID NAME`: the keeper of a process that exec_in_guest() has put down as NAME.
int run_exec_keeper(const Globals& globals, Arguments arguments);

}  // namespace trine::runtime::oci_cli
