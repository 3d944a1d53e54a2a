#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace trine::images {

/// A key that signatures are verified with: ECDSA on P-256, P-384 or P-521 and RSA of 2048 to 8192 bits, both
/// over SHA-256, or Ed25519. Source: cosign's specs/SIGNATURE_SPEC.md, "Signature Schemes".
class PublicKey {
 public:
  /// One PEM block, "PUBLIC KEY" or "RSA PUBLIC KEY". `name` is for messages. Throws Error for what is no
  /// key, several of them, or a key of another kind.
  static PublicKey from_pem(std::string_view pem, std::string name);
  ~PublicKey();
  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) = delete;

  /// RSA: PKCS #1 v1.5 or PSS. The signature is in the form that cosign writes: ASN.1 for ECDSA.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// "SHA256:<hex>" of the key in DER, as `openssl pkey -pubin -outform DER | sha256sum` prints it.
  [[nodiscard]] std::string fingerprint() const;

 private:
  struct Key;
  PublicKey(std::unique_ptr<Key> key, std::string name);

  std::unique_ptr<Key> key_;
  std::string name_;
};

}  // namespace trine::images
