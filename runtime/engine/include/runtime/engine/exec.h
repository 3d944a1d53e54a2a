#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// What `trine exec` was asked for. What is not given is as the instance's first process has it.
struct ExecOptions {
  std::string instance;  ///< a name, an id, or the beginning of one
  std::vector<std::string> command;
  std::vector<std::string> env;  ///< NAME=VALUE, in order; NAME alone takes the instance's away
  std::optional<std::string> working_directory;
  std::optional<std::string> user;  ///< Docker's USER[:GROUP]
  bool interactive = false;
  bool terminal = false;
  bool detach = false;
  bool privileged = false;  ///< all capabilities, but the instance's seccomp filter, as Docker has it
};

/// Runs a program in an instance that runs, beside its first process: in its namespaces and cgroups, with its
/// capabilities, filter, limits and environment. Returns the program's exit code; 137 when the instance ended
/// under it; 0 at once with `detach`. Throws base::Error, and isolation::ExecError for the program.
///
/// When the caller is killed the program goes on, as in Docker; its terminal hangs up, as any does whose
/// other end is gone.
int exec(const ExecOptions& options, const Paths& paths);

}  // namespace trine::runtime::engine
