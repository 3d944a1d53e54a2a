#pragma once

#include <optional>
#include <string>

#include "cgroups/group.h"
#include "globals.h"
#include "runtime/backend/plan.h"
#include "runtime/oci/spec.h"
#include "state.h"
#include "store.h"

/// The cgroup of a container by either driver: a directory that trine-oci makes itself (cgroupfs), or a scope
/// that systemd makes (--systemd-cgroup). Which one it was is in the container's state: only the commands
/// that make a container look at the flag.
namespace trine::runtime::oci_cli {

/// Everywhere, because engines look for a container's figures by /proc/PID/cgroup.
constexpr cgroups::Coverage kGroupCoverage = cgroups::Coverage::kEverywhere;

/// The scope that linux.cgroupsPath asks for, "slice:prefix:name"; without one it is named after the id.
/// Nothing with the cgroupfs driver. Throws Error for a path of another form.
std::optional<Scope> choose_scope(const Globals& globals, const oci::Spec& spec, const std::string& id);

/// Makes the group. When the state has a scope, that, with the unit properties that annotations
/// org.systemd.property.NAME ask for; it is written down before and after, for a path that systemd chooses
/// does not follow from the configuration. Group::settle() ends the making. Throws Error.
cgroups::Group make_group(Container& container, const std::string& cgroup_name,
                          const cgroups::Hierarchies& hierarchies, const cgroups::Limits& limits);

/// Writes limits to the group of a container, and to its unit.
void update_group(const State& state, const cgroups::Limits& limits);

/// Kills what is in the group and removes it, and the scope. When the scope cannot be stopped, that is a
/// warning only: systemd ends it by itself, since it is empty then.
void remove_group(const State& state);

/// The same for a container whose `create` ended before it could write down what it had made; no process was
/// in it then.
void remove_unrecorded_group(const State& state, const oci::Spec& spec);

}  // namespace trine::runtime::oci_cli
