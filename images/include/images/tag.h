#pragma once

#include <string>

namespace trine::images {

/// Calls the image with this manifest, in the store at `root`, `name` from now on; another that was called so
/// loses the name. Throws Error when `name` is no name or cannot be written.
void tag(const std::string& root, const std::string& manifest_digest, const std::string& name);

}  // namespace trine::images
