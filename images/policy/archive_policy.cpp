#include "archive_policy.h"

#include <cstdlib>
#include <memory>

#include "policy.h"

namespace trine::images {
namespace {

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};

/// As a policy's scopes are written: absolute, without symlinks.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, FreeText> whole(::realpath(path.c_str(), nullptr));
  if (!whole)
    base::throw_errno("cannot open " + path);
  return whole.get();
}

}  // namespace

void require_loadable(const std::string& policy_file, const std::string& transport, const std::string& path,
                      const std::string& tag) {
  const SignaturePolicy policy = SignaturePolicy::load(policy_file);
  const PolicySection& section = policy.for_path(transport, resolve(path), tag);
  const std::string cannot = "cannot load " + transport + ":" + path;
  refuse_outright(section, cannot);
  if (section.has(PolicyRequirement::Kind::kSigned)) {
    throw NotAllowed(cannot + ": the signature policy demands a signature (" + section.place +
                         "), and archives and layouts carry none",
                     0, "pull the image from a registry, where its signatures are");
  }
}

}  // namespace trine::images
