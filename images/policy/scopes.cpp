#include "scopes.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace trine::images {
namespace {

enum class ScopeForm { kName, kPath, kAny };
struct Transport {
  std::string_view name;
  ScopeForm form;
};
/// Those of containers-transports(5); most are other programs', and their rules are only checked for form.
constexpr std::array kTransports{
    Transport{"atomic", ScopeForm::kName},
    Transport{"containers-storage", ScopeForm::kAny},
    Transport{"dir", ScopeForm::kPath},
    Transport{"docker", ScopeForm::kName},
    Transport{"docker-archive", ScopeForm::kPath},
    Transport{"docker-daemon", ScopeForm::kAny},
    Transport{"oci", ScopeForm::kPath},
    Transport{"oci-archive", ScopeForm::kPath},
    Transport{"openshift", ScopeForm::kName},
    Transport{"ostree", ScopeForm::kAny},
    Transport{"sif", ScopeForm::kPath},
    Transport{"tarball", ScopeForm::kAny},
};

std::string name_fault(std::string_view scope) {
  if (scope.find("://") != std::string_view::npos)
    return "has a scheme: a scope begins with the host, as in registry.example/team";
  const auto star = scope.find('*');
  if (star == std::string_view::npos)
    return {};
  const bool whole_labels = scope.starts_with("*.") && scope.size() > 2 && scope.find('*', 1) == scope.npos;
  if (!whole_labels || scope.find('/') != std::string_view::npos || scope.find(':') != std::string_view::npos)
    return "is no wildcard that matches anything: *.registry.example is all there is";
  return {};
}

std::string path_fault(std::string_view scope) {
  if (!scope.starts_with('/'))
    return "is no absolute path";
  if (scope == "/")
    return "is the root: the transport's default is written as \"\"";
  for (const auto& part : base::split(scope.substr(1), '/')) {
    if (part.empty() || part == "." || part == "..")
      return "is no path in its shortest form, without //, . and ..";
  }
  return {};
}

}  // namespace

std::vector<std::string> docker_scopes(const Reference& reference) {
  std::string name = reference.domain + "/" + reference.repository;
  std::vector<std::string> scopes;
  if (!reference.digest.empty())
    scopes.push_back(name + "@" + reference.digest);
  if (!reference.tag.empty())
    scopes.push_back(name + ":" + reference.tag);
  for (;;) {
    scopes.push_back(name);
    const auto slash = name.find_last_of('/');
    if (slash == std::string::npos)
      break;
    name.erase(slash);
  }
  if (name.starts_with('['))  // an address has no domains above it
    return scopes;
  name.erase(std::min(name.find(':'), name.size()));
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) {
    name.erase(0, dot + 1);
    scopes.push_back("*." + name);
  }
  return scopes;
}

std::vector<std::string> path_scopes(const std::string& path, const std::string& tag) {
  std::vector<std::string> scopes;
  if (!tag.empty())
    scopes.push_back(path + ":" + tag);
  for (std::string parent = path; parent.size() > 1; parent.erase(parent.find_last_of('/')))
    scopes.push_back(parent);
  return scopes;
}

std::string transport_fault(std::string_view transport) {
  if (std::ranges::find(kTransports, transport, &Transport::name) != kTransports.end())
    return {};
  return "is no transport: docker, oci, oci-archive and docker-archive are those that trine reads from";
}

std::string scope_fault(std::string_view transport, std::string_view scope) {
  const auto* const found = std::ranges::find(kTransports, transport, &Transport::name);
  if (scope.empty() || found == kTransports.end() || found->form == ScopeForm::kAny)
    return {};
  return found->form == ScopeForm::kName ? name_fault(scope) : path_fault(scope);
}

}  // namespace trine::images
