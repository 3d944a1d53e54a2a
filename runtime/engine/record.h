#pragma once

#include <string>
#include <string_view>

#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// Nothing when the text is no record: half-written by a crash, or of another version.
std::optional<Record> parse_record(std::string_view json);

/// The record in an instance's directory; nothing when there is none, or it is no record.
std::optional<Record> read_record(const std::string& directory);

/// "2026-11-21T05:20:52.123456789Z"
std::string now_utc();

/// When the process began, in clock ticks since boot (proc(5), stat field 22); 0 when it is gone.
std::uint64_t process_start_time(pid_t pid);

}  // namespace trine::runtime::engine
