#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace trine::images {

/// The part of TOML that registries.conf(5) is written in: tables and arrays of tables, bare, quoted and
/// dotted keys, one-line strings, whole numbers, booleans, arrays, inline tables, comments. Tables become
/// objects. Throws Error naming `name` and the line. At most 1 MiB, nested 16 deep. Source: TOML 1.0.
nlohmann::json parse_toml(std::string_view text, const std::string& name);

}  // namespace trine::images
