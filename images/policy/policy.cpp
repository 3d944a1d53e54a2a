#include "policy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/file.h"
#include "policy_parser.h"
#include "scopes.h"

namespace trine::images {
namespace {

using Kind = PolicyRequirement::Kind;

constexpr const char* kSystemFile = "/etc/containers/policy.json";

/// Nothing when there is no such file; one that is there and cannot be read is not passed over. Most users
/// have no file of their own: that must not throw, for a first exception takes more than a millisecond of
/// every run.
std::optional<std::string> read_if_there(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
    return std::nullopt;
  const base::UniqueFd fd = base::open_file(path, O_RDONLY);
  return base::read_all(fd.get(), path, kMaxPolicy);
}

}  // namespace

bool PolicySection::has(Kind kind) const {
  return std::ranges::any_of(requirements, [&](const auto& one) { return one.kind == kind; });
}

SignaturePolicy SignaturePolicy::load(const std::string& file) {
  if (!file.empty()) {
    const base::UniqueFd fd = base::open_file(file, O_RDONLY);
    return parse(base::read_all(fd.get(), file, kMaxPolicy), file);
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    const std::string own = std::string(home) + "/.config/containers/policy.json";
    if (const auto text = read_if_there(own))
      return parse(*text, own);
  }
  if (const auto text = read_if_there(kSystemFile))
    return parse(*text, kSystemFile);
  SignaturePolicy policy;
  policy.default_ = {.place = "no policy file", .requirements = {{.kind = Kind::kAccept}}};
  return policy;
}

SignaturePolicy SignaturePolicy::parse(std::string_view text, const std::string& file) {
  return PolicyParser(file).parse(text);
}

const PolicySection& SignaturePolicy::nearest(const std::string& transport,
                                              const std::vector<std::string>& scopes) const {
  const auto sections = transports_.find(transport);
  if (sections == transports_.end())
    return default_;
  for (const auto& scope : scopes) {
    if (const auto found = sections->second.find(scope); found != sections->second.end())
      return found->second;
  }
  const auto whole = sections->second.find("");
  return whole == sections->second.end() ? default_ : whole->second;
}

const PolicySection& SignaturePolicy::for_docker(const Reference& reference) const {
  return nearest("docker", docker_scopes(reference));
}

const PolicySection& SignaturePolicy::for_path(const std::string& transport, const std::string& path,
                                               const std::string& tag) const {
  return nearest(transport, path_scopes(path, tag));
}

const PolicySection& SignaturePolicy::for_transport(const std::string& transport) const {
  return nearest(transport, {});
}

bool SignaturePolicy::rejects_anything() const {
  if (default_.has(Kind::kReject))
    return true;
  return std::ranges::any_of(transports_, [](const auto& transport) {
    return std::ranges::any_of(transport.second,
                               [](const auto& section) { return section.second.has(Kind::kReject); });
  });
}

void refuse_outright(const PolicySection& section, const std::string& cannot) {
  for (const auto& requirement : section.requirements) {
    if (requirement.kind == Kind::kReject) {
      throw NotAllowed(cannot + ": the signature policy rejects it (" + section.place + ")", 0,
                       "another section of that file can allow it: containers-policy.json(5)");
    }
    if (requirement.kind == Kind::kUnsupported) {
      throw NotAllowed(cannot + ": the signature policy demands " + requirement.unsupported +
                           ", which trine cannot verify (" + section.place + ")",
                       0, "sigstoreSigned with keyPath or keyData is what trine verifies");
    }
  }
}

}  // namespace trine::images
