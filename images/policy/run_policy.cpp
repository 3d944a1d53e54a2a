#include "images/run_policy.h"

#include <algorithm>

#include "policy.h"
#include "stored_names.h"

namespace trine::images {
namespace {

/// The section that keeps the image from being run, if there is one.
const PolicySection* find_rejection(const SignaturePolicy& policy, const std::vector<Reference>& names,
                                    bool by_name) {
  const auto rejects = [](const PolicySection* section) {
    return section->has(PolicyRequirement::Kind::kReject);
  };
  std::vector<const PolicySection*> sections;
  sections.reserve(names.size());
  for (const auto& name : names)
    sections.push_back(&policy.for_docker(name));
  if (sections.empty())
    sections.push_back(&policy.for_transport("docker"));
  const auto rejecting = std::ranges::find_if(sections, rejects);
  if (rejecting == sections.end() || (!by_name && !std::ranges::all_of(sections, rejects)))
    return nullptr;
  return *rejecting;
}

}  // namespace

void require_runnable(const std::string& policy_file, const Store& store, const Image& image,
                      const std::string& asked) {
  const SignaturePolicy policy = SignaturePolicy::load(policy_file);
  if (!policy.rejects_anything())
    return;
  const bool by_name = !image.names.empty();
  const auto* const section = find_rejection(policy, stored_names(store, image, asked), by_name);
  if (section != nullptr)
    throw NotAllowed("cannot run " + asked + ": the signature policy rejects it (" + section->place + ")");
}

}  // namespace trine::images
