#include "payload.h"

#include <algorithm>

#include "base/error.h"
#include "base64.h"
#include "layout.h"
#include "strict_json.h"

namespace trine::images {
namespace {

constexpr std::string_view kPayloadType = "cosign container image signature";
constexpr std::string_view kLayerType = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr const char* kAnnotation = "dev.cosignproject.cosign/signature";
constexpr std::size_t kMaxManifest = 4 << 20;
constexpr std::size_t kMaxSignatureText = 4 << 10;  ///< RSA of 8192 bits in base64 is 1368

SignatureLayer parse_layer(const JsonPlace& place) {
  if (place.member("mediaType").text() != kLayerType)
    place.refuse("is no signature, but something else that was attached");
  SignatureLayer layer{
      .digest = place.member("digest").text(), .size = place.member("size").number(), .signature = {}};
  (void)digest_hex(layer.digest);
  if (layer.size > kMaxPayload)
    place.refuse("is larger than " + std::to_string(kMaxPayload) + " bytes");
  const JsonPlace annotation = place.member("annotations").member(kAnnotation);
  const std::string text = annotation.text();
  const auto signature = text.size() > kMaxSignatureText ? std::nullopt : base64_decode(text);
  if (!signature || signature->empty() || base64_encode(*signature) != text)
    annotation.refuse("is no signature in base64");
  layer.signature = *signature;
  return layer;
}

}  // namespace

SignedPayload parse_payload(std::string_view text) {
  const std::string name = "the signed text";
  const auto json = parse_strict_json(text, name, kMaxPayload);
  const JsonPlace root(json, name);
  root.allow_only({"critical", "optional"});
  // cosign writes null when there are no notes. They decide nothing.
  if (const JsonPlace notes = root.member("optional"); !notes.is_null())
    (void)notes.members();
  const JsonPlace critical = root.member("critical");
  critical.allow_only({"type", "image", "identity"});
  if (const JsonPlace type = critical.member("type"); type.text() != kPayloadType)
    type.refuse("is not '" + std::string(kPayloadType) + "'");
  const JsonPlace image = critical.member("image");
  image.allow_only({"docker-manifest-digest"});
  const JsonPlace identity = critical.member("identity");
  identity.allow_only({"docker-reference"});
  SignedPayload payload{.manifest_digest = image.member("docker-manifest-digest").text(),
                        .docker_reference = identity.member("docker-reference").text()};
  (void)digest_hex(payload.manifest_digest);
  return payload;
}

SignatureManifest parse_signature_manifest(std::string_view text) {
  const std::string name = "the manifest of the signatures";
  const auto json = parse_strict_json(text, name, kMaxManifest);
  const JsonPlace root(json, name);
  if (root.find("manifests"))
    root.refuse("is an index");
  const auto layers = root.member("layers").items();
  SignatureManifest manifest;
  for (std::size_t i = 0; i < std::min(layers.size(), kMaxSignatures); ++i) {
    try {
      manifest.layers.push_back(parse_layer(layers[i]));
    } catch (const base::Error& error) {
      manifest.passed_over.emplace_back(error.what());
    }
  }
  if (layers.size() > kMaxSignatures) {
    manifest.passed_over.push_back(std::to_string(layers.size() - kMaxSignatures) + " more than the first " +
                                   std::to_string(kMaxSignatures));
  }
  return manifest;
}

std::string signature_tag(const std::string& manifest_digest) {
  std::string tag = manifest_digest;
  std::ranges::replace(tag, ':', '-');
  return tag + ".sig";
}

}  // namespace trine::images
