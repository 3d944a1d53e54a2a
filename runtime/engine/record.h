#pragma once

#include <string>
#include <string_view>

#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// Nothing when the text is no record: half-written by a crash, or of another version.
std::optional<Record> parse_record(std::string_view json);

/// The record in an instance's directory; nothing when there is none, or it is no record.
std::optional<Record> read_record(const std::string& directory);

/// Writes the record of one that has ended into its directory in `<lib>`. Throws Error.
void keep_record(const std::string& directory, const Record& record);

}  // namespace trine::runtime::engine
