#pragma once

#include <optional>
#include <string>

#include "credentials.h"

/// Programs called docker-credential-NAME that keep credentials.
/// Source: github.com/docker/docker-credential-helpers, "Development".
namespace trine::images {

/// Nothing when it knows none. Throws Error when it cannot be run or fails otherwise.
std::optional<Credentials> helper_get(const std::string& helper, const std::string& server);
void helper_store(const std::string& helper, const std::string& server, const Credentials& credentials);
void helper_erase(const std::string& helper, const std::string& server);

}  // namespace trine::images
