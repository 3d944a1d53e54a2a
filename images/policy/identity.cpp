#include "identity.h"

#include "base/error.h"

namespace trine::images {
namespace {

using Match = SignedIdentity::Match;

std::string repository_of(const Reference& reference) {
  return reference.domain + "/" + reference.repository;
}

bool names_one_image(const Reference& reference) {
  return !reference.tag.empty() || !reference.digest.empty();
}

/// What is asked for by digest is that, whatever tag stands beside it: the digest was checked already.
Reference intended(Reference image) {
  if (!image.digest.empty())
    image.tag.clear();
  return image;
}

bool is_exactly(const Reference& image, const Reference& signed_for) {
  return names_one_image(image) && names_one_image(signed_for) && image.full() == signed_for.full();
}

bool is_repository_or_exactly(const Reference& image, const Reference& signed_for) {
  if (image.digest.empty())
    return is_exactly(image, signed_for);
  return names_one_image(signed_for) && repository_of(image) == repository_of(signed_for);
}

/// Nothing when what comes out is no reference.
std::optional<Reference> remap(const Reference& image, const SignedIdentity& identity) {
  const std::string name = repository_of(image);
  const std::string& prefix = identity.value;
  const bool whole_parts =
      name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
  if (!whole_parts)
    return image;
  auto moved = parse_signed_reference(identity.signed_prefix + image.full().substr(prefix.size()));
  if (!moved || moved->short_name)
    return std::nullopt;
  return moved;
}

}  // namespace

std::optional<Reference> parse_signed_reference(std::string_view text) {
  try {
    Reference reference = parse_reference(text);
    const std::string_view name = text.substr(0, text.find('@'));
    const auto slash = name.find_last_of('/');
    const bool tagged = name.find(':', slash == std::string_view::npos ? 0 : slash) != std::string_view::npos;
    if (!tagged)
      reference.tag.clear();
    return reference;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

bool accepts(const SignedIdentity& identity, const Reference& image, std::string_view signed_reference) {
  const auto signed_for = parse_signed_reference(signed_reference);
  if (!signed_for)
    return false;
  const Reference asked = intended(image);
  switch (identity.match) {
    case Match::kExact:
      return is_exactly(asked, *signed_for);
    case Match::kRepoDigestOrExact:
      return is_repository_or_exactly(asked, *signed_for);
    case Match::kRepository:
      return repository_of(asked) == repository_of(*signed_for);
    case Match::kExactReference: {
      const auto wanted = parse_signed_reference(identity.value);
      return wanted && is_exactly(*wanted, *signed_for);
    }
    case Match::kExactRepository: {
      const auto wanted = parse_signed_reference(identity.value);
      return wanted && repository_of(*wanted) == repository_of(*signed_for);
    }
    case Match::kRemap: {
      const auto moved = remap(asked, identity);
      return moved && is_repository_or_exactly(*moved, *signed_for);
    }
  }
  return false;
}

}  // namespace trine::images
