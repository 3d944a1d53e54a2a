#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/process.h"
#include "base/unique_fd.h"
#include "isolation/hook.h"
#include "isolation/plan.h"

namespace trine::isolation {

/// The program could not be executed: exit code 127 when it was not found, else 126.
class ExecError : public base::Error {
 public:
  ExecError(std::string message, int errno_value, std::string hint, bool not_found)
      : Error(std::move(message), errno_value, std::move(hint)), not_found_(not_found) {}
  [[nodiscard]] bool not_found() const { return not_found_; }

 private:
  bool not_found_;
};

/// Programs and calls between a container's steps. Source: OCI runtime-spec 1.3
/// config.md#posix-platform-hooks.
struct HookPoints {
  /// Called in the caller when all is made and mounted but the old root is still there: run the hooks that
  /// are the caller's. The child waits meanwhile, when this is set. A throw ends the child.
  std::function<void(pid_t)> on_environment;
  /// Run by the child itself: before it leaves the host's root, and before its program. `hook_state` gives
  /// the text for their standard input from a status of the specification's and the child's own number.
  /// Without an environment of their own those at the start have the program's, as their programs are the
  /// image's.
  std::vector<Hook> create_container_hooks, start_container_hooks;
  std::function<std::string(const char* status, pid_t)> hook_state;
  /// Called in the caller with the notify descriptor of the child's filter, when that has one: pass it on to
  /// who answers. The program may run already, and waits. With a gate, open_gate() gets it instead.
  std::function<void(pid_t, int listener)> on_listener;
};

/// What the caller does at the moments that only it knows about.
struct StartHooks : HookPoints {
  /// A cgroup v2 directory for the child to be born in.
  std::optional<int> cgroup;
  /// Called in the caller once the child exists; its program does not run before this returns: write a
  /// record. A throw ends the child.
  std::function<void(pid_t)> on_created;
  /// Called in the caller once the child is in the container's network namespace, before its sysctls are
  /// written: move interfaces there. The child waits meanwhile, when this is set. A throw ends the child.
  std::function<void(pid_t)> on_network;
  /// Called in the caller once the child exists, beside its work: makes the cgroups that it is to join, and
  /// returns a descriptor for each. Then, in the child: joins one. Not set: it is in its cgroups from its
  /// birth, or from in_child. A throw of either ends the child.
  std::function<std::vector<base::UniqueFd>()> make_cgroups;
  std::function<void(int)> join_cgroup;
  /// Called on a thread that is inside the new network namespace, before the program runs: bring links up.
  std::function<void()> in_network_namespace;
  /// Called in the child, before it does anything: join cgroups, let go of locks that are the caller's alone.
  std::function<void()> in_child;
  /// From make_gate(): the child does everything but execute its program, then waits there; start() returns
  /// as soon as it does. -1: no gate.
  int gate = -1;
  /// A program of the caller's, open to be executed in place of what args[0] names in the root. -1: none.
  int executable = -1;
  /// Descriptors of the caller's that the program gets, under the same numbers, which are above 2.
  std::vector<int> kept_descriptors;
  /// The child lives on when the caller ends. Without a gate, once its program runs.
  bool outlive_caller = false;
};

struct Started {
  base::Process process;
  base::UniqueFd terminal;  ///< the pseudo-terminal's master when the plan asks for a terminal
};

/// To be called first in main() of every program that calls start(), which executes some programs by way of a
/// sealed copy of the calling one: does not return when this is that copy.
void run_sealed_exec(int count, char** arguments);

/// A process beside those of a container that runs.
struct JoinPlan {
  int pidfd = -1;                ///< of a process in the container
  std::uint64_t namespaces = 0;  ///< CLONE_NEW… to enter: those that are not shared with the caller
  int root = -1;  ///< of a container that shares our mount namespace; -1: it comes with its own
  Process process;
  std::optional<SeccompFilter> seccomp;
  std::optional<Resctrl> resctrl;
};

/// Makes a process in the container of `plan.pidfd` and returns once its program has been executed.
/// Throws as start() does.
Started join(const JoinPlan& plan, const StartHooks& hooks);

/// Throws ExecError when the root, a directory that is open, has no such program to execute: for whoever does
/// not enter it here. It looks at no mounts.
void check_program(int root, const Process& process);

/// Makes the namespaces and the process of `plan` and returns once its program has been executed.
/// Throws Error naming the step that failed, ExecError for the program itself; the child is gone then.
Started start(const Plan& plan, const StartHooks& hooks);

}  // namespace trine::isolation
