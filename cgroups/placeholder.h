#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "base/process.h"

namespace trine::cgroups {

/// A process that does nothing, for as long as this object lives: systemd makes no scope without a process,
/// and the container's first is to be born in the scope. It ends with its parent too.
class Placeholder {
 public:
  /// What the group's limit of processes is to be once this one is gone: until then it is one more.
  std::optional<std::int64_t> pids_max;

  Placeholder();
  Placeholder(const Placeholder&) = delete;
  Placeholder& operator=(const Placeholder&) = delete;
  ~Placeholder();

  [[nodiscard]] pid_t pid() const { return process_.pid(); }

 private:
  pid_t owner_;
  base::Process process_;
};

}  // namespace trine::cgroups
