#include "hash.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"

namespace trine::images {

Hash::Hash(std::string_view algorithm) : algorithm_(algorithm), context_(::EVP_MD_CTX_new()) {
  const EVP_MD* kind = algorithm == "sha256"   ? ::EVP_sha256()
                       : algorithm == "sha512" ? ::EVP_sha512()
                                               : nullptr;
  if (kind == nullptr || context_ == nullptr ||
      ::EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), kind, nullptr) != 1) {
    ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
    throw base::Error("cannot compute a digest by " + algorithm_);
  }
}

Hash::~Hash() {
  ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

void Hash::update(std::span<const char> bytes) {
  ::EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}

std::string Hash::finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  ::EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), raw.data(), &size);
  std::string text = algorithm_ + ":";
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[raw[i] >> 4];
    text += kDigits[raw[i] & 15];
  }
  return text;
}

std::string sha256(std::string_view text) {
  Hash hash("sha256");
  hash.update(text);
  return hash.finish();
}

}  // namespace trine::images
