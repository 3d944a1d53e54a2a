#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The documents that a sigstore signature is made of, as cosign and containers/image keep them in a
/// registry: an OCI manifest with the tag "sha256-HEX.sig", each layer of which is a signed text, with the
/// signature as an annotation. Source: cosign's specs/SIGNATURE_SPEC.md; containers-signature(5) for "simple
/// signing".
namespace trine::images {

constexpr std::size_t kMaxPayload = 64 << 10;
constexpr std::size_t kMaxSignatures = 64;  ///< of one image; those behind are passed over

/// What a signed text says.
struct SignedPayload {
  std::string manifest_digest;   ///< "sha256:…", checked for its form
  std::string docker_reference;  ///< as it is there
};

/// Throws Error for what is no such text, has a member that is not known, or one twice.
SignedPayload parse_payload(std::string_view text);

/// A signed text that the manifest names.
struct SignatureLayer {
  std::string digest;
  std::uint64_t size = 0;  ///< kMaxPayload at most
  std::string signature;   ///< as bytes
};

struct SignatureManifest {
  std::vector<SignatureLayer> layers;
  std::vector<std::string> passed_over;  ///< why, for each layer that cannot be used
};

/// Throws Error for what is no manifest. A layer that cannot be used does not harm the others: whoever may
/// write to the repository can add some.
SignatureManifest parse_signature_manifest(std::string_view text);

/// "sha256:HEX" -> "sha256-HEX.sig"
std::string signature_tag(const std::string& manifest_digest);

}  // namespace trine::images
