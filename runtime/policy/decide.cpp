#include <algorithm>
#include <array>

#include "base/error.h"
#include "runtime/policy/isolation_policy.h"

namespace trine::runtime::policy {
namespace {

constexpr std::array<std::string_view, 3> kNames{"container", "vm", "full"};

/// Nothing when it names no class.
std::optional<Class> class_of(Request request) {
  switch (request) {
    case Request::kContainer:
      return Class::kContainer;
    case Request::kVm:
      return Class::kVm;
    case Request::kFull:
      return Class::kFull;
    case Request::kUnsaid:
    case Request::kAuto:
      break;
  }
  return std::nullopt;
}

Decision by_default(const IsolationPolicy& policy) {
  if (!policy.standard)
    return {};
  return {.isolation = class_of(policy.standard->request).value_or(Class::kContainer),
          .place = policy.standard->place};
}

/// Whether rules decide that only say what is fitting, too.
bool follows_all_rules(const std::vector<IsolationPolicy>& policies, Request request) {
  return request == Request::kAuto || std::ranges::any_of(policies, [](const IsolationPolicy& policy) {
           return policy.standard && policy.standard->request == Request::kAuto;
         });
}

/// What one policy makes of a workload for which no class is asked for.
Decision decide_alone(const IsolationPolicy& policy, const Rule* rule, Request request, bool all_rules) {
  const bool follows_rules = all_rules || (rule != nullptr && rule->enforce);
  Decision standard = by_default(policy);
  if (rule == nullptr || !follows_rules)
    return standard;
  Decision decision{
      .isolation = rule->isolation, .place = rule->place, .reason = rule->reason, .enforced = rule->enforce};
  // Without --isolation a rule is a lower bound, and the default may be above it.
  const bool above = request == Request::kUnsaid && standard.isolation > decision.isolation;
  return above ? standard : decision;
}

[[noreturn]] void refuse(const Workload& workload, Class asked, const Rule& rule) {
  const std::string wanted(class_name(rule.isolation));
  throw base::Error("cannot run " + workload.asked + " with --isolation " + std::string(class_name(asked)) +
                        ": the isolation policy demands " + wanted + " (" + rule.place + ")" +
                        (rule.reason.empty() ? "" : ": " + rule.reason),
                    0, "run it with --isolation " + wanted + " or auto, or have that rule changed");
}

}  // namespace

std::string_view class_name(Class isolation) {
  return kNames[static_cast<std::size_t>(isolation)];
}

const Rule* find_demand(const std::vector<IsolationPolicy>& policies, const Workload& workload,
                        Class isolation) {
  for (const IsolationPolicy& policy : policies) {
    const Rule* rule = policy.find(workload);
    if (rule != nullptr && rule->enforce && rule->isolation > isolation)
      return rule;
  }
  return nullptr;
}

Decision decide(const std::vector<IsolationPolicy>& policies, const Workload& workload, Request request) {
  if (const auto asked = class_of(request)) {
    if (const Rule* rule = find_demand(policies, workload, *asked))
      refuse(workload, *asked, *rule);
    return {.isolation = *asked};
  }
  const bool all_rules = follows_all_rules(policies, request);
  Decision strongest;
  for (const IsolationPolicy& policy : policies) {
    Decision decision = decide_alone(policy, policy.find(workload), request, all_rules);
    const bool says_first = strongest.place.empty() && !decision.place.empty();
    if (decision.isolation > strongest.isolation || (decision.isolation == strongest.isolation && says_first))
      strongest = std::move(decision);
  }
  return strongest;
}

}  // namespace trine::runtime::policy
