#pragma once

#include <string>

#include "endpoint.h"
#include "progress.h"

namespace trine::images {

struct PushOptions {
  ClientOptions client;
  std::string store;
  std::string mounts;  ///< where the store's layers are mounted
  ProgressStyle progress = ProgressStyle::kPlain;
};

struct Pushed {
  std::string digest;  ///< of the manifest, as it is there
  std::string name;
};

/// Sends the stored image `image` to the registry and repository of `name`. Blobs that are there already, or
/// in another repository of that registry from which the image came, are not sent. A layer of which the
/// registry has no blob is packed anew: its digest, the configuration's and the manifest's are others then.
/// Throws Error.
Pushed push(const PushOptions& options, const std::string& image, const std::string& name);

}  // namespace trine::images
