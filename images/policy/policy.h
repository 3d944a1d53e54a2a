#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "identity.h"
#include "images/reference.h"

/// Which images may be used, as the machine's administrator, or the user, says. No OpenSSL here: the run path
/// reads policies too. Source: containers-policy.json(5).
namespace trine::images {

/// A policy was understood, and says no.
class NotAllowed : public base::Error {
 public:
  using Error::Error;
};

/// What an image has to satisfy.
struct PolicyRequirement {
  enum class Kind {
    kAccept,
    kReject,
    kSigned,       ///< a sigstore signature by one of the keys
    kUnsupported,  ///< something that trine cannot check, and so never counts as satisfied
  };
  Kind kind = Kind::kReject;
  std::string unsupported;              ///< what that is: "signedBy (GPG signatures)"
  std::vector<std::string> key_files;   ///< one PEM public key each; any one of them will do
  std::vector<std::string> key_texts;   ///< the keys themselves, in place of files
  std::vector<std::string> key_places;  ///< where the policy has each of key_texts, for messages
  SignedIdentity identity;
};

/// The requirements for an image, all of which must hold, and where they stand.
struct PolicySection {
  std::string place;  ///< `/etc/containers/policy.json: $.transports.docker["quay.io"]`
  std::vector<PolicyRequirement> requirements;

  [[nodiscard]] bool has(PolicyRequirement::Kind kind) const;
};

class SignaturePolicy {
 public:
  /// `file`; when it is empty, ~/.config/containers/policy.json, else /etc/containers/policy.json, else a
  /// policy that accepts anything. Throws Error for a file that cannot be read, is larger than 1 MiB, or is
  /// not as containers-policy.json(5) wants it: an unknown or repeated key is no small thing here.
  static SignaturePolicy load(const std::string& file);
  static SignaturePolicy parse(std::string_view text, const std::string& file);

  /// What holds for an image in a registry. The reference has a host: a short name has no rules of its own.
  [[nodiscard]] const PolicySection& for_docker(const Reference& reference) const;
  /// What holds for "oci", "oci-archive" and "docker-archive" sources. `path` is absolute and without
  /// symlinks; `tag` may be empty.
  [[nodiscard]] const PolicySection& for_path(const std::string& transport, const std::string& path,
                                              const std::string& tag) const;
  /// What holds for images of a transport about which nothing more is known.
  [[nodiscard]] const PolicySection& for_transport(const std::string& transport) const;

  /// Whether there is any section that rejects.
  [[nodiscard]] bool rejects_anything() const;

 private:
  friend class PolicyParser;
  [[nodiscard]] const PolicySection& nearest(const std::string& transport,
                                             const std::vector<std::string>& scopes) const;

  PolicySection default_;
  std::map<std::string, std::map<std::string, PolicySection>> transports_;  ///< by name, then by scope
};

/// Throws NotAllowed when the section rejects, or asks for what trine cannot check; signatures are not looked
/// at. `cannot`: "cannot pull quay.io/web:1".
void refuse_outright(const PolicySection& section, const std::string& cannot);

}  // namespace trine::images
