#include "verifier.h"

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "payload.h"
#include "public_key.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxKeyFile = 64 << 10;
constexpr std::size_t kMaxReasons = 8;  ///< that a message tells

std::vector<PublicKey> read_keys(const PolicyRequirement& requirement) {
  std::vector<PublicKey> keys;
  keys.reserve(requirement.key_files.size() + requirement.key_texts.size());
  for (const auto& file : requirement.key_files)
    keys.push_back(PublicKey::from_pem(base::read_file(file, kMaxKeyFile), file));
  for (std::size_t i = 0; i < requirement.key_texts.size(); ++i)
    keys.push_back(PublicKey::from_pem(requirement.key_texts[i], requirement.key_places[i]));
  return keys;
}

/// A stranger's text, for a terminal.
std::string shown(std::string text) {
  constexpr std::size_t kShown = 200;
  text.resize(std::min(text.size(), kShown));
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
  return text;
}

/// A name that is not accepted, and what that may come from: cosign signs repositories.
std::string misfit(const Reference& image, const std::string& name) {
  const auto reference = parse_signed_reference(name);
  const bool untagged = reference && reference->tag.empty() && reference->digest.empty();
  const bool same = accepts({.match = SignedIdentity::Match::kRepository}, image, name);
  return "'" + shown(name) + "', which does not fit" +
         (untagged && same ? ": it has no tag, as signedIdentity matchRepository would take it" : "");
}

/// Judges signatures by one requirement.
class Judge {
 public:
  Judge(const PolicyRequirement& requirement, const Reference& image, std::string digest)
      : requirement_(requirement), image_(image), digest_(std::move(digest)), keys_(read_keys(requirement)) {}

  /// Nothing when the signature does not count; reason() says why then.
  std::optional<Verified> judge(const FoundSignature& found) {
    // Nothing of the text is looked into before the signature holds.
    const auto key = std::ranges::find_if(
        keys_, [&](const PublicKey& one) { return one.verifies(found.payload, found.signature); });
    if (key == keys_.end())
      return refuse(keys_.size() == 1 ? "was not made by the key " + keys_.front().name()
                                      : "was not made by any of the keys");
    SignedPayload payload;
    try {
      payload = parse_payload(found.payload);
    } catch (const base::Error& error) {
      return refuse("is on something else: " + shown(error.what()));
    }
    if (payload.manifest_digest != digest_)
      return refuse("is for the image " + shown(payload.manifest_digest) + ", not for " + digest_);
    if (!accepts(requirement_.identity, image_, payload.docker_reference))
      return refuse("is for the name " + misfit(image_, payload.docker_reference));
    return Verified{
        .key = key->name(), .fingerprint = key->fingerprint(), .signed_as = payload.docker_reference};
  }

  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::nullopt_t refuse(std::string reason) {
    reason_ = std::move(reason);
    return std::nullopt;
  }

  const PolicyRequirement& requirement_;
  const Reference& image_;
  std::string digest_;
  std::vector<PublicKey> keys_;
  std::string reason_;
};

std::string summary(const std::vector<std::string>& reasons) {
  if (reasons.empty())
    return "it has none";
  std::string text;
  for (std::size_t i = 0; i < std::min(reasons.size(), kMaxReasons); ++i)
    text += (i == 0 ? "" : "; ") + reasons[i];
  if (reasons.size() > kMaxReasons)
    text += "; and " + std::to_string(reasons.size() - kMaxReasons) + " more";
  return text;
}

Verified verify_one(const PolicyRequirement& requirement, const PolicySection& section,
                    const Reference& image, const std::string& digest, const FoundSignatures& found,
                    const std::string& cannot) {
  Judge judge(requirement, image, digest);
  std::vector<std::string> reasons;
  for (const auto& signature : found.signatures) {
    if (auto verified = judge.judge(signature))
      return std::move(*verified);
    reasons.push_back("one " + judge.reason());
  }
  for (const auto& reason : found.passed_over)
    reasons.push_back(shown(reason));
  throw NotAllowed(cannot + ": no signature on " + digest + " counts: " + summary(reasons), 0,
                   "the signature policy demands one (" + section.place + ")");
}

}  // namespace

std::vector<Verified> verify_signatures(const PolicySection& section, const Reference& image,
                                        const std::string& digest, const FoundSignatures& found,
                                        const std::string& cannot) {
  refuse_outright(section, cannot);
  std::vector<Verified> result;
  for (const auto& requirement : section.requirements) {
    if (requirement.kind == PolicyRequirement::Kind::kSigned)
      result.push_back(verify_one(requirement, section, image, digest, found, cannot));
  }
  return result;
}

}  // namespace trine::images
