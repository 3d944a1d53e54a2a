#pragma once

#include <string_view>

namespace trine::runtime::policy {

/// Whether the whole text is as the pattern says: `*` stands for any characters, '/' too, or none; `?` for
/// one.
bool glob_fits(std::string_view pattern, std::string_view text);

}  // namespace trine::runtime::policy
