#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trine::runtime::cli {

/// Columns aligned by blanks; the first row is the heading.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// "12.3MB", in powers of 1000 as docker images has it.
std::string human_size(std::uint64_t bytes);

}  // namespace trine::runtime::cli
