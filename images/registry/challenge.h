#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trine::images {

/// One of the ways in which a server wants to be told who asks.
/// Source: RFC 9110 §11.6.1; the distribution project's "Token Authentication Specification".
struct Challenge {
  std::string scheme;                         ///< "bearer", "basic", in lower case
  std::map<std::string, std::string> values;  ///< "realm", "service", "scope"; names in lower case
};

/// Of a WWW-Authenticate header. What is no challenge ends the list; nothing is thrown. At most 8.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace trine::images
