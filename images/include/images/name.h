#pragma once

#include <string>
#include <string_view>

namespace trine::images {

/// "busybox" and "docker.io/library/busybox" -> "busybox:latest", "host:5000/a/b@sha256:…" as it is. Throws
/// Error for what is no name.
std::string normalize_name(std::string_view name);

/// Whether normalize_name() takes it.
bool is_name(std::string_view name);

}  // namespace trine::images
