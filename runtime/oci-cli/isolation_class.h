#pragma once

#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "runtime/policy/isolation_policy.h"

/// Which class a bundle gets: what it asks for by the annotation dev.trine.isolation or its section vm, and
/// what the machine's isolation policy (docs/isolation-policy.md) has for it.
namespace trine::runtime::oci_cli {

/// The machine's policy; for an unprivileged user his own, too. Nothing, at the cost of one call of the
/// kernel, where there is none. Throws Error: a policy that cannot be read or trusted is not passed over.
std::vector<policy::IsolationPolicy> load_policies();

/// A bundle as rules see it: its annotations are its labels, and an engine does not tell the name of its
/// image. What cannot be told from it counts as asked for.
policy::Workload describe_workload(const oci::Spec& spec, const std::string& bundle);

/// Throws Error for a class that is weaker than what a rule demands, and for one that is not built in: a
/// class is never replaced by a weaker one.
policy::Class choose_class(const oci::Spec& spec, const std::string& bundle,
                           const std::vector<policy::IsolationPolicy>& policies);

}  // namespace trine::runtime::oci_cli
