#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace trine::runtime::engine {

/// Sets NAME=VALUE in place of an earlier NAME. A name alone takes the variable away, as in docker run -e
/// NAME.
inline void apply_env(std::vector<std::string>& env, const std::string& entry) {
  const auto equals = entry.find('=');
  const std::string name = entry.substr(0, equals) + "=";
  const auto is_it = [&](const std::string& other) { return other.starts_with(name); };
  if (equals == std::string::npos) {
    std::erase_if(env, is_it);
    return;
  }
  const auto old = std::ranges::find_if(env, is_it);
  if (old != env.end())
    *old = entry;
  else
    env.push_back(entry);
}

/// Whether Docker's USER[:GROUP] names root, as far as can be told without the image's files.
inline bool is_root(const std::string& user) {
  const std::string name = user.substr(0, user.find(':'));
  return name.empty() || name == "0" || name == "root";
}

}  // namespace trine::runtime::engine
