#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

struct LogRequest {
  std::string since;  ///< RFC 3339, UTC, as base::now_utc() gives it; empty: from the beginning
  std::string until;  ///< the same; empty: to the end
  std::optional<std::uint64_t> tail;  ///< the last lines only
  bool follow = false;                ///< until the instance ends, or `until`
};

/// A line of an instance's output, or a part of one.
struct LogLine {
  std::string_view time;  ///< RFC 3339, UTC
  bool is_error = false;  ///< of the standard error
  bool is_whole = true;   ///< false: the next of its stream goes on with it
  std::string_view text;
};

/// Nothing when it is no line of a log: cut off, or not written by trine-supervisor.
std::optional<LogLine> parse_log_line(std::string_view line);

/// Reads what an instance that runs, or ran, in the background has written. Throws Error, also for one that
/// has no log.
void read_logs(const Paths& paths, const std::string& reference, const LogRequest& request,
               const std::function<void(const LogLine&)>& on_line);

}  // namespace trine::runtime::engine
