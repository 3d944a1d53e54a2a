#include "image_pattern.h"

#include <algorithm>
#include <array>

#include "glob.h"

namespace trine::runtime::policy {
namespace {

constexpr std::array<std::string_view, 5> kSources{
    "oci:", "dir:", "oci-archive:", "docker-archive:", "bundle:"};

/// Where the path begins of what is not an image in a registry; 0 for one that is.
std::size_t source_length(std::string_view image) {
  const auto* const found =
      std::ranges::find_if(kSources, [&](std::string_view source) { return image.starts_with(source); });
  return found == kSources.end() ? 0 : found->size();
}

bool is_wild(char c) {
  return c == '*' || c == '?';
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// "quay.io", "localhost", "mirror:5000", "*"
bool may_be_host(std::string_view head) {
  return std::ranges::any_of(head, [](char c) { return c == '.' || c == '[' || is_wild(c); }) ||
         head == "localhost" || head.find(':') != std::string_view::npos;
}

/// The image without tag and digest.
std::string_view repository(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const auto slash = image.rfind('/');
  const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return tagged ? image.substr(0, colon) : image;
}

std::string registry_fault(std::string_view pattern) {
  if (is_wild(pattern.front()))
    return {};
  const auto slash = pattern.find('/');
  const std::string_view head = pattern.substr(0, slash);
  const bool has_star = head.find('*') != std::string_view::npos;
  if (!may_be_host(head) || (slash == std::string_view::npos && head.find('.') == std::string_view::npos) ||
      (slash == std::string_view::npos && !has_star)) {
    return "names no registry and so no image in full: debian is docker.io/library/debian";
  }
  // Of names only a tag has capital letters: it stands behind the last colon.
  const std::string_view path = repository(pattern);
  if (slash != std::string_view::npos && slash < path.size() &&
      std::ranges::any_of(path.substr(slash), is_upper))
    return "has capital letters, which no repository has";
  return {};
}

}  // namespace

std::string pattern_fault(std::string_view pattern) {
  if (pattern.empty())
    return "is empty";
  const std::size_t length = source_length(pattern);
  if (length == 0)
    return registry_fault(pattern);
  const std::string_view path = pattern.substr(length);
  if (path.empty() || (path.front() != '/' && !is_wild(path.front())))
    return "has no absolute path";
  const bool unclean = path.find("//") != std::string_view::npos ||
                       path.find("/../") != std::string_view::npos ||
                       path.find("/./") != std::string_view::npos;
  return unclean ? "has //, . or .. in its path, which is compared with none" : "";
}

bool image_fits(std::string_view pattern, std::string_view image) {
  return glob_fits(pattern, image) || (source_length(image) == 0 && glob_fits(pattern, repository(image)));
}

}  // namespace trine::runtime::policy
