#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which class of isolation a workload gets, as the machine's administrator says. Pure: no files, no store,
/// no flags. The format is in docs/isolation-policy.md.
namespace trine::runtime::policy {

/// By strength.
enum class Class { kContainer, kVm, kFull };
/// "container", "vm", "full"
std::string_view class_name(Class isolation);

/// What `--isolation` says.
enum class Request { kUnsaid, kAuto, kContainer, kVm, kFull };

/// A workload before it starts, as far as it is known. What is not known is empty and fits no rule that asks
/// for it.
struct Workload {
  std::string asked;                ///< the image as the user gave it, for messages
  std::vector<std::string> images;  ///< in full: "docker.io/library/debian:12", "oci:/srv/web:1", "bundle:/b"
  std::string digest;               ///< of the manifest, "sha256:…"
  std::vector<std::string> signers;  ///< fingerprints of keys whose signatures were verified; empty: unsigned
  std::uint32_t user_id = 0;         ///< on the host, who runs it
  std::string user;                  ///< the name of that; empty when it has none
  /// What it asks for beyond the ordinary: names in kPrivileges, and "capability:SYS_ADMIN" (without CAP_) or
  /// "capability:ALL".
  std::vector<std::string> privileges;
  bool any_privilege = false;  ///< it may ask for anything: each privilege counts as asked for
  std::map<std::string, std::string> labels;
};

/// The kinds of privileges that a rule can name.
inline constexpr std::string_view kPrivileges[] = {
    "privileged", "capability", "host-network", "container-network", "bind", "device", "seccomp", "sysctl"};

/// What a rule asks of a workload. All that is set must hold; of a list, one entry.
struct Match {
  std::vector<std::string> images;  ///< globs; one without a tag fits all of them
  std::vector<std::string> digests;
  std::optional<bool> is_signed;
  std::vector<std::string> signers;  ///< fingerprints
  std::vector<std::string> users;    ///< names or numbers
  std::vector<std::string> privileges;
  std::map<std::string, std::string> labels;  ///< key to glob

  [[nodiscard]] bool fits(const Workload& workload) const;
};

struct Rule {
  std::string place;  ///< "/etc/trine/isolation.d/50-web.json: $.rules[0]"
  Match match;
  Class isolation = Class::kContainer;
  bool enforce = false;  ///< no flag weakens it
  std::string reason;
};

/// What holds without `--isolation`.
struct Default {
  std::string place;
  Request request = Request::kAuto;  ///< never kUnsaid
};

/// The rules of one directory, in order.
struct IsolationPolicy {
  std::optional<Default> standard;
  std::vector<Rule> rules;

  /// The first that fits, or nullptr.
  [[nodiscard]] const Rule* find(const Workload& workload) const;
};

/// Adds the rules of one file's text behind those there are; a default that is there already stays. Throws
/// Error naming the file and the place of what is wrong: an unknown or repeated key, a pattern that can never
/// fit, and whatever else would make a rule say something other than it seems to.
void add_rules(std::string_view text, const std::string& file, IsolationPolicy& policy);

/// The largest file that is read.
constexpr std::size_t kMaxFile = 1 << 20;

struct Decision {
  Class isolation = Class::kContainer;
  /// What decided: a place in a file; empty when there is no policy that says anything, or the flag did.
  std::string place;
  std::string reason;     ///< of the rule
  bool enforced = false;  ///< by a rule that no flag weakens
};

/// The first demand of a class stronger than `isolation`, or nullptr.
const Rule* find_demand(const std::vector<IsolationPolicy>& policies, const Workload& workload,
                        Class isolation);

/// Each policy decides for itself, and the strongest class of all wins: further policies only add to the
/// first. Throws Error when `request` is weaker than a class that a rule demands.
Decision decide(const std::vector<IsolationPolicy>& policies, const Workload& workload, Request request);

}  // namespace trine::runtime::policy
