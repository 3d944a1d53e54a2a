#pragma once

#include <string>
#include <vector>

#include "images/reference.h"
#include "policy.h"

/// Whether the signatures that were found satisfy a policy.
namespace trine::images {

struct FoundSignature {
  std::string payload;    ///< the signed text
  std::string signature;  ///< as bytes
};

/// What a registry has of an image's signatures. Nothing of it is trusted.
struct FoundSignatures {
  std::vector<FoundSignature> signatures;
  std::vector<std::string> passed_over;  ///< why, for each that cannot be used
};

/// One requirement that a signature satisfied.
struct Verified {
  std::string key;          ///< its file, or its place in the policy
  std::string fingerprint;  ///< see PublicKey
  std::string signed_as;    ///< the reference that the signature is for
};

/// Verifies that each requirement of the section for signatures is satisfied by one of `found`: made by one
/// of its keys, for the manifest `digest`, and for a name that fits `image`. One Verified for each of those
/// requirements, none when there is none. Throws NotAllowed, saying for each signature why it does not count;
/// Error when a key cannot be read. `cannot`: "cannot pull quay.io/web:1".
std::vector<Verified> verify_signatures(const PolicySection& section, const Reference& image,
                                        const std::string& digest, const FoundSignatures& found,
                                        const std::string& cannot);

}  // namespace trine::images
