#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "runtime/engine/instance.h"

/// Ending instances and waiting for their end. Processes are held by their pidfd, so that no signal reaches
/// another that has got the number since.
namespace trine::runtime::engine {

/// Sends a signal to the instance's first process; one that is to end it ends a pause. After KILL, returns
/// when the instance has ended. Throws Error when it does not run.
void kill_instance(const Paths& paths, const std::string& reference, int number);

/// Stops every process of an instance, in the midst of what it does, until unpause_instance(): a container's
/// by its cgroup, a VM as a whole. Throw Error when it does not run, or is paused already, or is not.
void pause_instance(const Paths& paths, const std::string& reference);
void unpause_instance(const Paths& paths, const std::string& reference);

/// Sends each its stop signal, all at once, and KILL to those that run on after `patience` (nothing: for
/// ever). `report` is called for each that has ended, or ended before, and gets an error of one that cannot
/// be stopped.
void stop_instances(const Paths& paths, const std::vector<std::string>& references,
                    std::optional<std::chrono::seconds> patience,
                    const std::function<void(const std::string& reference, const base::Error*)>& report);

/// The end of an instance, of interest from when this is made: the exit code of one that is removed when it
/// ends is not missed.
class AwaitedEnd {
 public:
  /// Throws Error when there is no such instance.
  AwaitedEnd(const Paths& paths, const std::string& reference);

  /// Waits for it; the exit code. 137 for an instance that ended with its trine.
  int wait();

 private:
  Paths paths_;
  Record record_;
  base::UniqueFd process_;  ///< kProcessFile
};

}  // namespace trine::runtime::engine
