#include <algorithm>

#include "glob.h"
#include "image_pattern.h"
#include "runtime/policy/isolation_policy.h"

namespace trine::runtime::policy {
namespace {

using Texts = std::vector<std::string>;

bool has(const Texts& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

bool fits_image(const Texts& patterns, const Texts& images) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return std::ranges::any_of(images, [&](const std::string& image) { return image_fits(pattern, image); });
  });
}

bool fits_user(const Texts& users, const Workload& workload) {
  return has(users, std::to_string(workload.user_id)) ||
         (!workload.user.empty() && has(users, workload.user));
}

bool asks_for(const std::string& privilege, const Workload& workload) {
  const bool nothing = workload.privileges.empty() && !workload.any_privilege;
  if (privilege == "none" || nothing)
    return privilege == "none" && nothing;
  if (privilege == "any" || workload.any_privilege || has(workload.privileges, privilege))
    return true;
  return privilege.starts_with("capability:") && has(workload.privileges, "capability:ALL");
}

bool fits_labels(const std::map<std::string, std::string>& wanted, const Workload& workload) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = workload.labels.find(label.first);
    return found != workload.labels.end() && glob_fits(label.second, found->second);
  });
}

}  // namespace

bool Match::fits(const Workload& workload) const {
  if (!images.empty() && !fits_image(images, workload.images))
    return false;
  if (!digests.empty() && !has(digests, workload.digest))
    return false;
  if (is_signed && *is_signed == workload.signers.empty())
    return false;
  if (!signers.empty() &&
      std::ranges::none_of(signers, [&](const auto& key) { return has(workload.signers, key); }))
    return false;
  if (!users.empty() && !fits_user(users, workload))
    return false;
  if (!privileges.empty() &&
      std::ranges::none_of(privileges, [&](const auto& one) { return asks_for(one, workload); }))
    return false;
  return fits_labels(labels, workload);
}

const Rule* IsolationPolicy::find(const Workload& workload) const {
  const auto found = std::ranges::find_if(rules, [&](const Rule& rule) { return rule.match.fits(workload); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace trine::runtime::policy
