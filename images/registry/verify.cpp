#include "verify.h"

#include <optional>

#include "choose.h"
#include "images/store.h"
#include "reference/registries.h"
#include "signatures.h"
#include "stored_names.h"

namespace trine::images {
namespace {

using Kind = PolicyRequirement::Kind;

/// As cosign has it, which signs repositories, but never for another repository.
PolicySection section_of_key(const std::string& key) {
  PolicyRequirement requirement{.kind = Kind::kSigned, .key_files = {key}};
  requirement.identity.match = SignedIdentity::Match::kRepository;
  return {.place = "--key " + key, .requirements = {requirement}};
}

std::vector<std::string> lines(const std::vector<Verified>& verified, const std::string& digest,
                               const Reference& reference) {
  std::vector<std::string> result;
  result.reserve(verified.size());
  for (const auto& one : verified) {
    result.push_back(digest + " " + reference.familiar() + " signed as " + one.signed_as + " by " + one.key +
                     " (" + one.fingerprint + ")");
  }
  return result;
}

/// Of one name of an image, in the places that have it.
class Verification {
 public:
  Verification(const VerifyOptions& options, const Registries& registries, std::optional<std::string> stored)
      : options_(options), registries_(registries), stored_(std::move(stored)) {
    if (options.key.empty())
      policy_ = SignaturePolicy::load(options.signature_policy);
  }

  std::vector<std::string> run(const Reference& reference) {
    const PolicySection section =
        options_.key.empty() ? policy_.for_docker(reference) : section_of_key(options_.key);
    const std::string cannot = "cannot verify " + reference.full();
    refuse_outright(section, cannot);
    if (!section.has(Kind::kSigned)) {
      throw NotAllowed(
          cannot + ": nothing says by whom it is to be signed, any image is accepted (" + section.place + ")",
          0, "--key FILE verifies with a key, whatever the policy says");
    }
    // A mirror may lack the signatures; the registry itself is asked last, and its word counts.
    const auto sources = registries_.sources(reference);
    for (std::size_t i = 0;; ++i) {
      try {
        return from(sources.at(i), section, reference, cannot);
      } catch (const base::Error&) {
        if (i + 1 >= sources.size())
          throw;
      }
    }
  }

 private:
  std::vector<std::string> from(const Source& source, const PolicySection& section,
                                const Reference& reference, const std::string& cannot) {
    Endpoint endpoint(transfers_, source, options_.client, Endpoint::Access::kPull);
    const auto is_stored = [](const std::string&) { return false; };
    const std::string digest =
        stored_ ? *stored_ : choose_manifest(endpoint, reference, own_platform(), is_stored).digest;
    return lines(require_allowed(endpoint, section, reference, digest, cannot), digest, reference);
  }

  const VerifyOptions& options_;
  const Registries& registries_;
  std::optional<std::string> stored_;  ///< the digest of what is to be verified, if it is not the registry's
  SignaturePolicy policy_;
  Transfers transfers_;
};

}  // namespace

std::vector<std::string> verify(const VerifyOptions& options, const std::string& name) {
  const Registries registries = Registries::load();
  const Store store(options.store, "");
  const auto image = store.find(name);
  Verification verification(options, registries, image ? std::optional(image->digest) : std::nullopt);
  const auto references =
      image ? stored_names(store, *image, name) : registries.candidates(parse_reference(name));
  for (std::size_t i = 0; i < references.size(); ++i) {
    try {
      return verification.run(references[i]);
    } catch (const NotThere&) {
      if (i + 1 == references.size())
        throw;
    } catch (const NotAllowed&) {
      // Of an image's names one may be its signer's.
      if (!image || i + 1 == references.size())
        throw;
    }
  }
  throw base::Error("cannot verify " + name + ": it has no name by which a registry can be asked", 0,
                    "trine tag gives it one");
}

}  // namespace trine::images
