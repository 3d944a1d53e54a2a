#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace trine::runtime::backend {

/// The process that a record names by number and start time, as a pidfd. Empty: it has ended, and the number
/// may be another's by now.
base::UniqueFd open_process(pid_t pid, std::uint64_t start_time);

/// The same process also when its first thread has ended: others may still hold what it had open.
base::UniqueFd open_rest_of_process(pid_t pid, std::uint64_t start_time);

/// Sends a signal; 0 only asks. False: the process has ended. Throws base::Error naming `object` when the
/// kernel refuses.
bool send_signal(int pidfd, int number, const std::string& object);

/// Waits for the process' end, `timeout_ms` at most (-1: for ever). False: it goes on.
bool wait_for_end(int pidfd, int timeout_ms);

}  // namespace trine::runtime::backend
