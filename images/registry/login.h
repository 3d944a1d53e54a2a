#pragma once

#include <string>

#include "endpoint.h"

namespace trine::images {

struct LoginOptions {
  ClientOptions client;
  std::string user, password;
  bool password_from_input = false;
};

/// Asks on the terminal for what is not given, tries it, and keeps it. Returns what to tell the user. Throws
/// Error when the registry refuses.
std::string login(const LoginOptions& options, const std::string& registry);
std::string logout(const ClientOptions& options, const std::string& registry);

}  // namespace trine::images
