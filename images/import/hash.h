#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trine::images {

/// A running SHA-256 or SHA-512.
class Hash {
 public:
  /// "sha256" or "sha512". Throws Error for another.
  explicit Hash(std::string_view algorithm);
  ~Hash();
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void update(std::span<const char> bytes);
  /// "sha256:<hex>"; the hash can be used no more.
  std::string finish();

 private:
  std::string algorithm_;
  void* context_;
};

/// "sha256:<hex>" of a text.
std::string sha256(std::string_view text);

}  // namespace trine::images
