#pragma once

#include <string>
#include <vector>

#include "endpoint.h"
#include "verifier.h"

namespace trine::images {

/// The sigstore signatures that the registry keeps beside the image with this manifest; none is no error, nor
/// is one that cannot be used. Nothing of them is verified but that they are what their digests say. Throws
/// Error when the registry cannot be asked.
FoundSignatures fetch_signatures(Endpoint& endpoint, const std::string& manifest_digest);

/// Throws NotAllowed unless the section lets the image be used; asks for signatures only when it wants some.
/// What was verified, for each of its requirements for signatures.
std::vector<Verified> require_allowed(Endpoint& endpoint, const PolicySection& section,
                                      const Reference& reference, const std::string& manifest_digest,
                                      const std::string& cannot);

}  // namespace trine::images
