#pragma once

#include <string>

#include "base/error.h"
#include "document.h"
#include "endpoint.h"

namespace trine::images {

/// There is no such image at one registry; another may have it.
class NotThere : public base::Error {
 public:
  using Error::Error;
};

/// A document that a registry gave, verified against the digest by which it was asked for.
struct FetchedDocument {
  std::string text;
  std::string digest;
  std::string media_type;
};

/// The manifest or index that `selector` (a tag or a digest) names. Throws NotThere; Error when the answer is
/// no manifest, or not the one that was asked for.
FetchedDocument fetch_manifest(Endpoint& endpoint, const std::string& selector);

/// A small blob, whole: a configuration. Throws Error when it is not what the descriptor says.
std::string fetch_document(Endpoint& endpoint, const Descriptor& descriptor, const std::string& what);

}  // namespace trine::images
