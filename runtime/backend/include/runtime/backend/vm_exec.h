#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "cgroups/group.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/joined_process.h"

/// Other commands' way to an instance of class vm: a socket in its directory, at which the trine that runs it
/// passes on to the guest what they ask. Source: docs/guest-protocol.md, "Other commands".
namespace trine::runtime::backend {

/// The socket's name in the instance's directory.
constexpr const char* kControlSocket = "control";

/// Makes it there, for our own user alone, and listens. Throws base::Error.
base::UniqueFd make_control_socket(const std::string& directory);

struct VmExecOptions {
  std::string socket;
  JoinedProcess process;
  bool interactive = false;
  bool detach = false;
  /// The process runs, or runs no more by now.
  std::function<void()> on_started;
};

/// Runs a process beside the first one in the guest. Its exit code; 137 when the instance ends under it; 0
/// when it runs, with `detach`. Throws base::Error, isolation::ExecError for the program.
int exec_in_vm(const VmExecOptions& options, const attach::SignalBlock& signals);

/// Sends a signal to the first process in the guest; KILL ends the instance whatever the guest does. False:
/// it has ended. Throws base::Error.
bool signal_vm(const std::string& socket, int number);

/// Stops and resumes the instance's machine, guest and all; true when it is so. False: it has ended. Throw
/// base::Error when it cannot be.
bool pause_vm(const std::string& socket);
bool resume_vm(const std::string& socket);

/// Asks the guest to give back so much of its memory to the host, in all; it does so as it can. False: it has
/// ended. Throws base::Error when it has no driver for that.
bool set_balloon_of_vm(const std::string& socket, std::uint64_t bytes);

/// What the instance's processes use, as the guest counts it: memory, CPU time, their number. Nothing: it has
/// ended. Throws base::Error.
std::optional<cgroups::Stats> stats_of_vm(const std::string& socket);

}  // namespace trine::runtime::backend
