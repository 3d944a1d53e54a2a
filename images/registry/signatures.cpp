#include "signatures.h"

#include "manifest.h"
#include "payload.h"

namespace trine::images {

FoundSignatures fetch_signatures(Endpoint& endpoint, const std::string& manifest_digest) {
  FoundSignatures found;
  FetchedDocument document;
  try {
    document = fetch_manifest(endpoint, signature_tag(manifest_digest));
  } catch (const NotThere&) {
    return found;
  }
  SignatureManifest manifest = parse_signature_manifest(document.text);
  found.passed_over = std::move(manifest.passed_over);
  for (auto& layer : manifest.layers) {
    const Descriptor blob{.digest = layer.digest, .size = layer.size};
    try {
      found.signatures.push_back({.payload = fetch_document(endpoint, blob, "a signed text of the image"),
                                  .signature = std::move(layer.signature)});
    } catch (const base::Error& error) {
      // Another signature may be good, and one that is needed is missed when they are judged.
      found.passed_over.emplace_back(error.what());
    }
  }
  return found;
}

std::vector<Verified> require_allowed(Endpoint& endpoint, const PolicySection& section,
                                      const Reference& reference, const std::string& manifest_digest,
                                      const std::string& cannot) {
  refuse_outright(section, cannot);
  if (!section.has(PolicyRequirement::Kind::kSigned))
    return {};
  return verify_signatures(section, reference, manifest_digest, fetch_signatures(endpoint, manifest_digest),
                           cannot);
}

}  // namespace trine::images
