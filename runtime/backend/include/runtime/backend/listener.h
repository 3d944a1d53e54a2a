#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "isolation/seccomp.h"

/// Who answers for a seccomp profile with SCMP_ACT_NOTIFY. Source: OCI runtime-spec 1.3
/// config-linux.md#containerprocessstate.
namespace trine::runtime::backend {

/// Sends the notify descriptor to the socket that the profile names, with the process's state: `state` is the
/// container's, as a state document. Throws Error naming the socket.
void send_listener(const isolation::SeccompProfile& profile, const std::string& state, pid_t pid,
                   int listener);

/// For isolation::HookPoints::on_listener. `state` gives the document for a process.
std::function<void(pid_t, int listener)> listener_sender(const isolation::SeccompProfile& profile,
                                                         std::function<std::string(pid_t)> state);

}  // namespace trine::runtime::backend
