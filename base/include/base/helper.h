#pragma once

#include <string>

namespace trine::base {

/// The path of one of trine's own programs, such as trine-images: beside the one that runs, or in
/// ../libexec/trine, never from PATH, which others may set. Throws Error when it is in neither.
std::string find_helper(const std::string& name);

}  // namespace trine::base
