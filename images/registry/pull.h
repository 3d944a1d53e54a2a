#pragma once

#include <optional>
#include <string>

#include "endpoint.h"
#include "platform.h"
#include "progress.h"

namespace trine::images {

struct PullOptions {
  ClientOptions client;
  std::string store;
  std::optional<Platform> platform;  ///< unset: this machine's
  ProgressStyle progress = ProgressStyle::kPlain;
  std::string signature_policy;  ///< a file; see SignaturePolicy::load()
};

struct Pulled {
  std::string digest;  ///< of the manifest
  std::string name;    ///< in the store
};

/// Brings the image that a user calls `name` into the store: from mirrors before the registry, of several
/// registries that a short name may mean the first that has it. Moves only layers that are missing. What the
/// signature policy does not allow is refused before any layer is moved, and when the image is stored already
/// too. Throws Error; what has come of a layer by then is kept, and the next pull goes on from there.
Pulled pull(const PullOptions& options, const std::string& name);

}  // namespace trine::images
