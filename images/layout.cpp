#include "layout.h"

#include <algorithm>

#include "base/error.h"
#include "images/name.h"

namespace trine::images {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kMaxName = 200;

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw base::Error(
      "'" + std::string(name) + "' is no name of an image: " + why, 0,
      "a name is [HOST[:PORT]/]PATH[:TAG], its path in lower case, as in registry.example/web:1.2");
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

std::string normalize_name(std::string_view whole) {
  // Docker's own registry is what a name without a host means; tools that write it out mean the same image.
  std::string_view name = whole;
  for (const std::string_view prefix :
       {"docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"}) {
    if (!name.starts_with(prefix))
      continue;
    name.remove_prefix(prefix.size());
    break;
  }
  constexpr std::string_view kPath = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
  constexpr std::string_view kTag = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kMaxTag = 128;
  if (name.empty() || name.size() > kMaxName)
    refuse(name.substr(0, 80), "it has no or too many characters");
  const auto at = name.find('@');
  if (at != std::string_view::npos)
    (void)digest_hex(name.substr(at + 1));
  const std::string_view before = name.substr(0, at);
  const auto slash = before.find_last_of('/');
  const auto colon = before.find_last_of(':');
  const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  const std::string_view tag = tagged ? before.substr(colon + 1) : std::string_view("latest");
  std::string_view path = before.substr(0, tagged ? colon : before.size());
  // A host with a port may stand before the first slash.
  if (const auto first = path.find('/'); first != std::string_view::npos) {
    const std::string_view host = path.substr(0, first);
    const auto port = host.find(':');
    const std::string_view digits = port == std::string_view::npos ? "0" : host.substr(port + 1);
    if (digits.empty() || !all_of(digits, "0123456789"))
      refuse(name, "its port");
    if (host.empty() || host.front() == '.' || host.front() == '-')
      refuse(name, "its host");
    if (host.find_first_of(".:") != std::string_view::npos || host == "localhost")
      path.remove_prefix(first + 1);
  }
  if (path.empty() || !all_of(path, kPath))
    refuse(name, "its path '" + std::string(path) + "'");
  if (path.front() == '/' || path.back() == '/' || path.find("//") != std::string_view::npos ||
      path.find("..") != std::string_view::npos || path.front() == '.' || path.front() == '-') {
    refuse(name, "its path '" + std::string(path) + "'");
  }
  if (tag.empty() || tag.size() > kMaxTag || !all_of(tag, kTag) || tag.front() == '.' || tag.front() == '-') {
    refuse(name, "its tag '" + std::string(tag) + "'");
  }
  if (tagged || at != std::string_view::npos)
    return std::string(name);
  return std::string(name) + ":latest";
}

bool is_name(std::string_view name) {
  try {
    (void)normalize_name(name);
    return true;
  } catch (const base::Error&) {
    return false;
  }
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
