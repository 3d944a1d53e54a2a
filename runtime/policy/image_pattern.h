#pragma once

#include <string>
#include <string_view>

/// Globs over the full names of images.
namespace trine::runtime::policy {

/// What is wrong with a pattern, when no image in full can ever fit it; else empty. A demand that never holds
/// would look like one that does.
std::string pattern_fault(std::string_view pattern);

/// Whether an image in full fits. A pattern that names no tag fits the repository with any tag or digest.
bool image_fits(std::string_view pattern, std::string_view image);

}  // namespace trine::runtime::policy
