#pragma once

#include "context.h"

namespace trine::isolation {

/// Replaces this process by the plan's program; throws ExecFailure when that cannot be done.
///
/// A program that is not surely an ordinary binary of the container's own root (a script, say, whose
/// interpreter is named by the image) is executed from a sealed copy of trine in memory: should it lead back
/// to /proc/self/exe, what it gets hold of is that copy (CVE-2019-5736).
[[noreturn]] void execute_program(const Context& context);

/// What the program gets: the plan's, of a name given twice the later value, and HOME.
std::vector<std::string> program_environment(const Context& context);

/// How execute_program() failed, for the channel.
struct ExecFailure {
  Failure failure;
};

}  // namespace trine::isolation
