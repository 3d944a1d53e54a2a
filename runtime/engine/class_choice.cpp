#include "runtime/engine/class_choice.h"

#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "isolation/rootless.h"
#include "layout.h"
#include "runtime/engine/image_source.h"
#include "runtime/policy/files.h"

namespace trine::runtime::engine {

bool PolicyContext::has_rules() const {
  return std::ranges::any_of(policies, [](const auto& policy) { return !policy.rules.empty(); });
}

PolicyContext load_policy_context() {
  PolicyContext context{.policies = policy::load_policies(), .user_id = ::geteuid()};
  if (context.has_rules())
    context.user = isolation::own_user_name();
  return context;
}

void require_built_in(const RunOptions& options, const policy::Decision& decision) {
  if (decision.isolation != policy::Class::kFull)
    return;
  throw base::Error("cannot run " + options.image +
                        ": the isolation policy has it run with --isolation full (" + decision.place +
                        "), which is not built into this version of trine",
                    0, "it has container and vm; a stronger class is never replaced by a weaker one");
}

ClassChoice choose_class(const RunOptions& options, const Paths& paths, const PolicyContext& context) {
  ClassChoice choice;
  policy::Workload workload;
  if (context.has_rules()) {
    const images::Store store = open_store(paths);
    if (!options.image.starts_with("bundle:"))
      choice.image = resolve_image(paths, store, options);
    workload = describe_workload(options, context, store, choice.image ? &*choice.image : nullptr);
  }
  const policy::Decision decision = policy::decide(context.policies, workload, options.isolation);
  require_built_in(options, decision);
  choice.isolation = decision.isolation;
  choice.place = decision.place;
  return choice;
}

void check_privileged_exec(const Paths& paths, const Record& record) {
  const PolicyContext context = load_policy_context();
  if (!context.has_rules())
    return;
  const images::Store store = open_store(paths);
  const auto image = record.image_digest.empty() ? std::nullopt : store.find(record.image_digest);
  RunOptions options;
  options.image = record.image;
  options.privileged = true;
  options.labels = record.labels;
  const policy::Workload workload = describe_workload(options, context, store, image ? &*image : nullptr);
  const auto isolation = record.isolation == kVmClass ? policy::Class::kVm : policy::Class::kContainer;
  const policy::Rule* rule = policy::find_demand(context.policies, workload, isolation);
  if (rule == nullptr)
    return;
  const std::string wanted(policy::class_name(rule->isolation));
  throw base::Error("cannot exec in " + record.name + " with --privileged: the isolation policy demands " +
                        wanted + " for that (" + rule->place + ")" +
                        (rule->reason.empty() ? "" : ": " + rule->reason),
                    0, "leave --privileged away, or run the instance with --isolation " + wanted);
}

}  // namespace trine::runtime::engine
