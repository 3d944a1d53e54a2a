#include "layout.h"

#include <algorithm>

#include "base/error.h"

namespace trine::images {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::string digest_hex(std::string_view digest) {
  const auto colon = digest.find(':');
  const std::string_view algorithm = digest.substr(0, colon);
  const std::string_view hex = colon == std::string_view::npos ? "" : digest.substr(colon + 1);
  const std::size_t length = algorithm == "sha256" ? 64 : algorithm == "sha512" ? 128 : 0;
  if (length == 0 || hex.size() != length || !all_of(hex, kHex)) {
    throw base::Error("'" + std::string(digest.substr(0, 160)) + "' is no digest", 0,
                      "a digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128");
  }
  return std::string(hex);
}

std::string name_file(std::string_view name) {
  std::string file(name);
  std::ranges::replace(file, '/', '%');
  return file;
}

std::string name_of_file(std::string_view file) {
  std::string name(file);
  std::ranges::replace(name, '%', '/');
  return name;
}

}  // namespace trine::images
