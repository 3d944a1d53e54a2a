#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "images/reference.h"

/// Whom a signature may say that it is for.
namespace trine::images {

/// Source: containers-policy.json(5), "signedIdentity".
struct SignedIdentity {
  enum class Match {
    kExact,              ///< the same name and tag or digest
    kRepoDigestOrExact,  ///< that; for an image asked for by digest, the same repository
    kRepository,         ///< the same repository, whatever tag
    kExactReference,     ///< `value`, whatever the image is called
    kExactRepository,    ///< the repository `value`, whatever the image is called
    kRemap,              ///< as kRepoDigestOrExact, once the prefix `value` is replaced by `signed_prefix`
  };
  Match match = Match::kRepoDigestOrExact;
  std::string value;
  std::string signed_prefix;
};

/// A reference as a signature or a policy writes it: unlike a user's, without a tag it has none. Nothing for
/// what is no reference.
std::optional<Reference> parse_signed_reference(std::string_view text);

/// Whether a signature for `signed_reference` holds for an image that is asked for as `image`.
bool accepts(const SignedIdentity& identity, const Reference& image, std::string_view signed_reference);

}  // namespace trine::images
