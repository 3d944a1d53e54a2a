#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/policy/isolation_policy.h"

/// Isolation policies as files: a directory of *.json, read in the order of their names.
namespace trine::runtime::policy {

constexpr const char* kSystemDirectory = "/etc/trine/isolation.d";

/// "$XDG_CONFIG_HOME/trine/isolation.d" or "~/.config/trine/isolation.d"; empty without a home.
std::string own_directory();

/// The *.json files in a directory, sorted by name; nothing when it does not exist. `owner` may own the
/// directory, the one above it and the files, as root may; nobody else may write to them. Throws Error: what
/// cannot be read or trusted is not passed over.
std::optional<std::vector<std::string>> policy_files(const std::string& directory, std::uint32_t owner);

/// The text of one of them: a regular file, no symlink, with the owner and permissions of above.
std::string read_policy_file(const std::string& path, std::uint32_t owner);

/// The policy of a directory; nothing when it does not exist, at the cost of one call of the kernel.
std::optional<IsolationPolicy> load_policy(const std::string& directory, std::uint32_t owner);

/// The system's, and the user's own, of those there are. To be called before a user namespace is entered, in
/// which root's files seem to be somebody else's. Throws Error.
std::vector<IsolationPolicy> load_policies();

}  // namespace trine::runtime::policy
