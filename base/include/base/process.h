#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace trine::base {

/// How a process ended, as a shell tells it: its exit status, or 128+n for signal n.
struct ExitStatus {
  int code = 0;    ///< 0..255
  int signal = 0;  ///< the signal that ended it, or 0
};

/// A child of ours, held by its pidfd: its number cannot be reused under us.
class Process {
 public:
  Process() = default;
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(pidfd_); }

  /// Sends a signal; false when the process is gone.
  bool signal(int number) const;
  /// Waits for the end and reaps.
  ExitStatus wait();
  /// Reaps when it has ended, else returns nothing.
  std::optional<ExitStatus> try_wait();

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

/// What /proc tells of any process. Source: proc_pid_stat(5).
struct ProcessInfo {
  /// Clock ticks since boot, which tell it from a later one of that number; 0: there is none.
  std::uint64_t start_time = 0;
  bool ended = false;  ///< a zombie
};
ProcessInfo process_info(pid_t pid);

/// What clone3(2) takes, without its zeroes.
struct CloneOptions {
  std::uint64_t flags = 0;    ///< CLONE_NEW…; CLONE_PIDFD is added
  std::optional<int> cgroup;  ///< a cgroup v2 directory to be born in (CLONE_INTO_CGROUP)
};

/// Whether this process is outside the initial user namespace, where every id maps to itself. There it may
/// make no device, whatever its capabilities. Source: user_namespaces(7).
bool in_user_namespace();

/// fork() with clone3: returns an empty Process in the child. Throws Error on failure.
/// The caller must have one thread only, or the child must not allocate.
Process clone_process(const CloneOptions& options);

/// The array that exec(3) takes; it points into `words`, which must outlive it.
std::vector<char*> to_argv(const std::vector<std::string>& words);

/// Runs a program to its end with standard input from /dev/null; its output is collected (64 KiB at most).
/// Throws Error when it cannot be started. `path` is not searched in PATH unless it has no slash.
struct ProgramResult {
  ExitStatus status;
  std::string output;  ///< standard output and standard error, in order
};
ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments,
                          std::size_t max_output = std::size_t{1} << 16);

}  // namespace trine::base
