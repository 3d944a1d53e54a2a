#include "policy_parser.h"

#include <algorithm>
#include <array>

#include "base64.h"
#include "scopes.h"

namespace trine::images {
namespace {

using Match = SignedIdentity::Match;
using Kind = PolicyRequirement::Kind;

constexpr std::size_t kMaxKeys = 64;  ///< of one requirement

std::string filled_text(const JsonPlace& place) {
  std::string text = place.text();
  if (text.empty())
    place.refuse("is empty");
  return text;
}

std::vector<JsonPlace> filled_list(const JsonPlace& place) {
  auto items = place.items();
  if (items.empty())
    place.refuse("is empty");
  return items;
}

// signedIdentity.

std::string reference_text(const JsonPlace& place, bool one_image) {
  std::string text = place.text();
  const auto reference = parse_signed_reference(text);
  if (!reference)
    place.refuse("is no reference of an image");
  const bool names_one = !reference->tag.empty() || !reference->digest.empty();
  if (one_image && !names_one)
    place.refuse("has neither tag nor digest");
  if (!one_image && names_one)
    place.refuse("has a tag or a digest: a repository has none");
  return text;
}

/// A host, or a host and the beginning of a repository's path.
std::string prefix_text(const JsonPlace& place) {
  std::string text = place.text();
  const auto reference = parse_signed_reference(text + "/name");
  if (!reference || reference->short_name)
    place.refuse("is no prefix: that is a host, or a host and a path");
  return text;
}

SignedIdentity parse_simple(const JsonPlace& place, Match match) {
  place.allow_only({"type"});
  return {.match = match, .value = {}, .signed_prefix = {}};
}

SignedIdentity parse_exact_reference(const JsonPlace& place, Match match) {
  place.allow_only({"type", "dockerReference"});
  return {
      .match = match, .value = reference_text(place.member("dockerReference"), true), .signed_prefix = {}};
}

SignedIdentity parse_exact_repository(const JsonPlace& place, Match match) {
  place.allow_only({"type", "dockerRepository"});
  return {
      .match = match, .value = reference_text(place.member("dockerRepository"), false), .signed_prefix = {}};
}

SignedIdentity parse_remap(const JsonPlace& place, Match match) {
  place.allow_only({"type", "prefix", "signedPrefix"});
  return {.match = match,
          .value = prefix_text(place.member("prefix")),
          .signed_prefix = prefix_text(place.member("signedPrefix"))};
}

struct IdentityType {
  std::string_view name;
  Match match;
  SignedIdentity (*parse)(const JsonPlace& place, Match match);
};
constexpr std::array kIdentityTypes{
    IdentityType{"matchExact", Match::kExact, parse_simple},
    IdentityType{"matchRepoDigestOrExact", Match::kRepoDigestOrExact, parse_simple},
    IdentityType{"matchRepository", Match::kRepository, parse_simple},
    IdentityType{"exactReference", Match::kExactReference, parse_exact_reference},
    IdentityType{"exactRepository", Match::kExactRepository, parse_exact_repository},
    IdentityType{"remapIdentity", Match::kRemap, parse_remap},
};

SignedIdentity parse_identity(const JsonPlace& requirement) {
  const auto place = requirement.find("signedIdentity");
  if (!place)
    return {};
  const JsonPlace type = place->member("type");
  const auto* const found = std::ranges::find(kIdentityTypes, type.text(), &IdentityType::name);
  if (found == kIdentityTypes.end())
    type.refuse("is no type of signedIdentity");
  return found->parse(*place, found->match);
}

// Requirements.

PolicyRequirement parse_accept(const JsonPlace& place) {
  place.allow_only({"type"});
  return {.kind = Kind::kAccept};
}

PolicyRequirement parse_reject(const JsonPlace& place) {
  place.allow_only({"type"});
  return {.kind = Kind::kReject};
}

PolicyRequirement parse_signed_by(const JsonPlace& place) {
  place.allow_only({"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"});
  (void)parse_identity(place);
  return {.kind = Kind::kUnsupported, .unsupported = "signedBy (GPG signatures)"};
}

PolicyRequirement parse_base_layer(const JsonPlace& place) {
  place.allow_only({"type", "baseLayerIdentity"});
  return {.kind = Kind::kUnsupported, .unsupported = "signedBaseLayer"};
}

void add_key_data(PolicyRequirement& requirement, const JsonPlace& place) {
  const std::string text = filled_text(place);
  const auto decoded = base64_decode(text);
  if (!decoded || base64_encode(*decoded) != text)
    place.refuse("is no base64");
  requirement.key_texts.push_back(*decoded);
  requirement.key_places.push_back(place.document() + ": " + place.path());
}

using Source = void (*)(PolicyRequirement& requirement, const JsonPlace& place);
struct TrustSource {
  const char* name;
  Source add;
};
/// Of these a requirement has exactly one.
constexpr std::array kTrustSources{
    TrustSource{"keyPath",
                [](PolicyRequirement& r, const JsonPlace& p) { r.key_files.push_back(filled_text(p)); }},
    TrustSource{"keyPaths",
                [](PolicyRequirement& r, const JsonPlace& p) {
                  for (const auto& item : filled_list(p))
                    r.key_files.push_back(filled_text(item));
                }},
    TrustSource{"keyData", add_key_data},
    TrustSource{"keyDatas",
                [](PolicyRequirement& r, const JsonPlace& p) {
                  for (const auto& item : filled_list(p))
                    add_key_data(r, item);
                }},
    TrustSource{"fulcio",
                [](PolicyRequirement& r, const JsonPlace&) { r.unsupported = "fulcio (certificates)"; }},
    TrustSource{"pki", [](PolicyRequirement& r, const JsonPlace&) { r.unsupported = "pki (certificates)"; }},
};

constexpr std::array kRekorKeys{"rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
                                "rekorPublicKeyDatas"};

PolicyRequirement parse_sigstore(const JsonPlace& place) {
  place.allow_only({"type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki",
                    "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas",
                    "signedIdentity"});
  PolicyRequirement requirement{.kind = Kind::kSigned, .identity = parse_identity(place)};
  std::size_t sources = 0;
  for (const auto& source : kTrustSources) {
    if (const auto found = place.find(source.name)) {
      source.add(requirement, *found);
      ++sources;
    }
  }
  if (sources != 1)
    place.refuse("has not exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki");
  if (requirement.key_files.size() + requirement.key_texts.size() > kMaxKeys)
    place.refuse("has more than " + std::to_string(kMaxKeys) + " keys");
  for (const char* key : kRekorKeys) {
    if (requirement.unsupported.empty() && place.find(key))
      requirement.unsupported = "rekor (an entry in a transparency log)";
  }
  if (!requirement.unsupported.empty())
    requirement.kind = Kind::kUnsupported;
  return requirement;
}

struct RequirementType {
  std::string_view name;
  PolicyRequirement (*parse)(const JsonPlace& place);
};
constexpr std::array kRequirementTypes{
    RequirementType{"insecureAcceptAnything", parse_accept}, RequirementType{"reject", parse_reject},
    RequirementType{"sigstoreSigned", parse_sigstore},       RequirementType{"signedBy", parse_signed_by},
    RequirementType{"signedBaseLayer", parse_base_layer},
};

PolicyRequirement parse_requirement(const JsonPlace& place) {
  const JsonPlace type = place.member("type");
  const auto* const found = std::ranges::find(kRequirementTypes, type.text(), &RequirementType::name);
  if (found == kRequirementTypes.end())
    type.refuse("is no type of requirement");
  return found->parse(place);
}

PolicySection parse_section(const JsonPlace& place) {
  PolicySection section{.place = place.document() + ": " + place.path(), .requirements = {}};
  for (const auto& item : filled_list(place))
    section.requirements.push_back(parse_requirement(item));
  return section;
}

}  // namespace

SignaturePolicy PolicyParser::parse(std::string_view text) const {
  const std::string document = "the signature policy " + file_;
  const auto json = parse_strict_json(text, document, kMaxPolicy);
  const JsonPlace root(json, file_);
  root.allow_only({"default", "transports"});
  SignaturePolicy policy;
  policy.default_ = parse_section(root.member("default"));
  const auto transports = root.find("transports");
  if (!transports)
    return policy;
  for (const auto& [name, transport] : transports->members()) {
    if (const std::string fault = transport_fault(name); !fault.empty())
      transport.refuse(fault);
    for (const auto& [scope, section] : transport.members()) {
      if (const std::string fault = scope_fault(name, scope); !fault.empty())
        section.refuse(fault);
      policy.transports_[name].emplace(scope, parse_section(section));
    }
  }
  return policy;
}

}  // namespace trine::images
