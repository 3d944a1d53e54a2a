#include "public_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "hash.h"

namespace trine::images {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr std::array<std::string_view, 3> kCurves{"prime256v1", "secp384r1", "secp521r1"};

/// Calls the library's function for what it made.
template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
void free_bytes(unsigned char* bytes) {
  OPENSSL_free(bytes);
}
void free_text(char* text) {
  OPENSSL_free(text);
}
using OwnedKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using OwnedContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using OwnedBio = std::unique_ptr<BIO, Free<BIO_free>>;
using OwnedBytes = std::unique_ptr<unsigned char, Free<free_bytes>>;
using OwnedText = std::unique_ptr<char, Free<free_text>>;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  ::ERR_clear_error();
  throw base::Error("the key " + name + " " + what, 0,
                    "a key is PEM, as cosign's cosign.pub or openssl pkey -pubout writes it");
}

struct PemBlock {
  std::string type;
  std::string der;
};

/// Nothing when there are no more.
std::unique_ptr<PemBlock> next_block(BIO* from, const std::string& name) {
  char* type = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  if (::PEM_read_bio(from, &type, &header, &bytes, &size) != 1) {
    ::ERR_clear_error();
    return nullptr;
  }
  const OwnedText owned_type(type);
  const OwnedText owned_header(header);
  const OwnedBytes owned_bytes(bytes);
  if (header != nullptr && *header != '\0')
    refuse(name, "is encrypted, or has a header");
  return std::make_unique<PemBlock>(
      PemBlock{.type = type, .der = std::string(reinterpret_cast<const char*>(bytes), size)});
}

OwnedKey decode(const PemBlock& block, const std::string& name) {
  const auto* at = reinterpret_cast<const unsigned char*>(block.der.data());
  const auto* const end = at + block.der.size();
  const auto size = static_cast<long>(block.der.size());
  OwnedKey key;
  if (block.type == "PUBLIC KEY")
    key.reset(::d2i_PUBKEY(nullptr, &at, size));
  else if (block.type == "RSA PUBLIC KEY")
    key.reset(::d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
  else
    refuse(name, "is a '" + block.type.substr(0, 40) + "', no PUBLIC KEY");
  if (!key || at != end)
    refuse(name, "is damaged");
  return key;
}

void check_kind(const EVP_PKEY* key, const std::string& name) {
  const int bits = ::EVP_PKEY_get_bits(key);
  switch (::EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return;
    case EVP_PKEY_RSA:
      if (bits < kMinRsaBits || bits > kMaxRsaBits)
        refuse(name, "has " + std::to_string(bits) + " bits: RSA takes 2048 to 8192");
      return;
    case EVP_PKEY_EC: {
      std::array<char, 64> curve{};
      std::size_t size = 0;
      const bool known = ::EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &size) == 1;
      if (!known || std::ranges::find(kCurves, std::string_view(curve.data(), size)) == kCurves.end())
        refuse(name, "is on a curve that is not P-256, P-384 or P-521");
      return;
    }
    default:
      refuse(name, "is of a kind that is not ECDSA, RSA or Ed25519");
  }
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// `padding`: of RSA, 0 for other keys.
bool verify_once(EVP_PKEY* key, int padding, std::string_view text, std::string_view signature) {
  const OwnedContext context(::EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to the context
  const bool hashes = ::EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519;
  const EVP_MD* digest = hashes ? ::EVP_sha256() : nullptr;
  bool ready =
      context != nullptr && ::EVP_DigestVerifyInit(context.get(), &settings, digest, nullptr, key) == 1;
  if (padding != 0)
    ready = ready && ::EVP_PKEY_CTX_set_rsa_padding(settings, padding) == 1;
  if (padding == RSA_PKCS1_PSS_PADDING)
    ready = ready && ::EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_AUTO) == 1;
  const bool good = ready && ::EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                                bytes_of(text), text.size()) == 1;
  ::ERR_clear_error();
  return good;
}

}  // namespace

struct PublicKey::Key {
  OwnedKey key;
};

PublicKey::PublicKey(std::unique_ptr<Key> key, std::string name)
    : key_(std::move(key)), name_(std::move(name)) {}
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey::~PublicKey() = default;

PublicKey PublicKey::from_pem(std::string_view pem, std::string name) {
  const OwnedBio text(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!text)
    refuse(name, "cannot be read: there is no memory");
  const auto block = next_block(text.get(), name);
  if (!block)
    refuse(name, "is no PEM");
  // Which of them would be meant? A policy lists several as keyPaths.
  if (next_block(text.get(), name))
    refuse(name, "has more than one key in it");
  auto key = std::make_unique<Key>(Key{.key = decode(*block, name)});
  check_kind(key->key.get(), name);
  return {std::move(key), std::move(name)};
}

bool PublicKey::verifies(std::string_view text, std::string_view signature) const {
  EVP_PKEY* const key = key_->key.get();
  if (::EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
    return verify_once(key, 0, text, signature);
  return verify_once(key, RSA_PKCS1_PADDING, text, signature) ||
         verify_once(key, RSA_PKCS1_PSS_PADDING, text, signature);
}

std::string PublicKey::fingerprint() const {
  unsigned char* bytes = nullptr;
  const int size = ::i2d_PUBKEY(key_->key.get(), &bytes);
  const OwnedBytes owned(bytes);
  if (size <= 0)
    refuse(name_, "cannot be written");
  const std::string digest = sha256({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  return "SHA256:" + digest.substr(digest.find(':') + 1);
}

}  // namespace trine::images
