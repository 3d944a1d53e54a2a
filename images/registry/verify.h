#pragma once

#include <string>
#include <vector>

#include "endpoint.h"

namespace trine::images {

struct VerifyOptions {
  ClientOptions client;
  std::string store;
  std::string signature_policy;  ///< a file; see SignaturePolicy::load()
  std::string key;  ///< a file: in place of the policy, a signature by this key on the repository
};

/// Verifies the signatures that its registry has of an image: of the one that is stored under `name`, or else
/// of the one that a pull would bring. What was verified, a line for each requirement. Throws NotAllowed when
/// that is not as it must be, or when the policy asks for no signature.
std::vector<std::string> verify(const VerifyOptions& options, const std::string& name);

}  // namespace trine::images
