#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/paths.h"
#include "runtime/engine/run_options.h"
#include "runtime/policy/isolation_policy.h"

/// Which class of isolation `trine run` takes: what the flag says, within what the isolation policy allows.
namespace trine::runtime::engine {

/// The isolation policies, and who runs trine.
struct PolicyContext {
  std::vector<policy::IsolationPolicy> policies;
  std::uint32_t user_id = 0;
  std::string user;

  [[nodiscard]] bool has_rules() const;
};

/// To be called before a user namespace is entered. Throws Error when a policy is there and cannot be read,
/// trusted or understood.
PolicyContext load_policy_context();

/// What the policies go by. `image`: the stored image, or nullptr when there is none (yet): then its digest,
/// labels and signers are not known.
policy::Workload describe_workload(const RunOptions& options, const PolicyContext& context,
                                   const images::Store& store, const images::Image* image);

struct ClassChoice {
  policy::Class isolation = policy::Class::kContainer;
  std::string place;                   ///< of the rule or default that decided; empty: the flag, or no policy
  std::optional<images::Image> image;  ///< what was decided about: that one is to be run and no other
};

/// Pulls or loads the image first when there are rules. Throws Error when a rule demands a stronger class
/// than the flag, or one that there is not.
ClassChoice choose_class(const RunOptions& options, const Paths& paths, const PolicyContext& context);

/// Throws Error for a flag that means nothing in the class that was chosen.
void refuse_flags_of_others(const RunOptions& options, const ClassChoice& choice);

/// For a program that is to get all capabilities in an instance: throws Error when a rule demands a stronger
/// class than the instance's for what it would be then.
void check_privileged_exec(const Paths& paths, const Record& record);

/// Throws Error when `decision` is for a class that is not built in.
void require_built_in(const RunOptions& options, const policy::Decision& decision);

}  // namespace trine::runtime::engine
