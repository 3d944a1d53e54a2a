#pragma once

#include <functional>
#include <string>

#include "runtime/engine/paths.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// Exit codes of trine's own. Source: docker run, chroot(1).
constexpr int kExitFailure = 125;  ///< trine itself failed
constexpr int kExitNotExecutable = 126;
constexpr int kExitNotFound = 127;

/// The exit code of `act`; says what it throws, and returns the exit code for that.
int run_reporting(const std::function<int()>& act) noexcept;

/// Runs an instance in the foreground and returns its exit code; or starts one in the background and prints
/// its id. Throws base::Error, and isolation::ExecError for the program; nothing of the instance is left
/// then.
int run(const RunOptions& options, const Paths& paths);

/// The end of one that ran in the background: what trine-supervisor executes. `held` are the descriptors that
/// were open for it, with commas between them, its lock first; none for a VM.
void end_in_background(const Paths& paths, const std::string& id, const std::string& held, int code);

}  // namespace trine::runtime::engine
