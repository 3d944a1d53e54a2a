#pragma once

#include <optional>
#include <string>

namespace trine::images {

/// "crc32c:<8 digits> <bytes>" of a file, to tell damage on the disk; what strangers may change is held to
/// digests. Throws Error.
std::string sum_of_file(int fd, const std::string& name);

/// Keeps the sum of the layer `name` in the store, on the disk.
void write_sum(const std::string& store, const std::string& name, const std::string& sum);
/// Nothing when none is kept: of layers that are directories.
std::optional<std::string> read_sum(const std::string& store, const std::string& name);

}  // namespace trine::images
