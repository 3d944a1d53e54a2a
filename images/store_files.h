#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record.h"

/// The store's files, as all that work on a whole store see them.
namespace trine::images {

constexpr std::size_t kMaxRecord = 16 << 20;
constexpr std::string_view kRecordSuffix = ".json";

/// Names in a directory, sorted; none when there is no such directory.
std::vector<std::string> entries(const std::string& path);
/// Empty when it is no symlink.
std::string read_link(const std::string& path);
void remove_below(const std::string& directory, const std::string& name);

/// The records' names without their suffix; temporary files are none.
std::vector<std::string> record_ids(const std::string& root);
/// Nothing when there is no such record. Throws Error when it is damaged.
std::optional<Record> read_record(const std::string& root, const std::string& hex);
std::vector<std::string> names_of(const std::string& root, const std::string& hex);

/// Removes layers, manifests and configurations that no record names, and dead imports; not while an import
/// runs, whose layers no record names yet: then it is false.
bool collect(const std::string& root);

}  // namespace trine::images
