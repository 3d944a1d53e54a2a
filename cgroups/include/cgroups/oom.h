#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "cgroups/group.h"

namespace trine::cgroups {

/// What happened since the last read.
struct OomNews {
  std::uint64_t events = 0;  ///< how often the group ran out of memory
  std::uint64_t kills = 0;   ///< how many processes were killed for that; they may follow their event
  bool ended = false;        ///< v2: the group has no process any more; both: it was removed
};

/// Waits for a group to run out of memory, with a descriptor to poll(2).
/// Source: Linux Documentation/admin-guide/cgroup-v2.rst, memory.events (told by inotify);
/// cgroup-v1/memory.rst, memory.oom_control (told by an eventfd).
class OomWatch {
 public:
  /// The memory directory of `group` need not stay open. Throws Error{ENOENT} when it has none.
  explicit OomWatch(const Group& group);

  /// POLLIN when there may be news; close-on-exec and non-blocking.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Takes what made the descriptor readable, and counts. There need be no news: v2 tells of any change.
  OomNews read();

 private:
  struct Counters {
    std::uint64_t events = 0;
    std::uint64_t kills = 0;
  };

  void watch_v1();
  void watch_v2();
  /// Nothing when the group is gone.
  [[nodiscard]] std::optional<Counters> count() const;
  [[nodiscard]] bool has_processes() const;
  [[nodiscard]] std::uint64_t drain() const;

  base::UniqueFd directory_, fd_;
  std::string path_;
  bool v2_ = false;
  Counters last_;
};

}  // namespace trine::cgroups
