#include "runtime/engine/class_choice.h"

#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "isolation/rootless.h"
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

}  // namespace trine::runtime::engine
