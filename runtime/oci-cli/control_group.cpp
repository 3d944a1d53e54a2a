#include "control_group.h"

#include <unistd.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/process.h"
#include "bundle.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::string_view kPropertyPrefix = "org.systemd.property.";

/// A user's systemd and not the machine's. Root of a user namespace may be either: an engine's user, or root
/// of a system container that has a systemd of its own.
bool has_user_manager() {
  if (::geteuid() != 0)
    return true;
  return base::in_user_namespace() && ::access("/run/systemd/private", W_OK) != 0;
}

cgroups::SystemdOptions options_of(const State& state) {
  cgroups::SystemdOptions options{.helper = base::find_helper("trine-systemd"),
                                  .user = state.scope->user,
                                  .description = "trine container " + state.id,
                                  .properties = {},
                                  .pids = {}};
  for (const auto& [key, value] : state.annotations) {
    if (key.starts_with(kPropertyPrefix))
      options.properties.emplace_back(key.substr(kPropertyPrefix.size()), value);
  }
  return options;
}

/// Whatever systemd says: the rest of the container is to go all the same.
void stop_with(void (*stop)(const cgroups::SystemdUnit&, const cgroups::SystemdOptions&),
               const State& state) {
  try {
    stop(state.scope->unit, options_of(state));
  } catch (const base::Error& error) {
    base::print_warning(error.what());
  }
}

/// Below a hierarchy's root.
std::string group_path(const State& state, const oci::Spec& spec) {
  if (state.scope)
    return cgroups::slice_path(state.scope->unit.slice) + "/" + state.scope->unit.name;
  return "/" + cgroup_name(backend::make_plan(spec, state.bundle), state.id);
}

}  // namespace

std::optional<Scope> choose_scope(const Globals& globals, const oci::Spec& spec, const std::string& id) {
  if (!globals.systemd_cgroup)
    return std::nullopt;
  const std::string& asked = spec.linux_part.cgroups_path;
  const bool user = has_user_manager();
  return Scope{.unit = cgroups::parse_systemd_path(asked.empty() ? ":trine:" + id : asked, user),
               .user = user};
}

cgroups::Group make_group(Container& container, const std::string& cgroup_name,
                          const cgroups::Hierarchies& hierarchies, const cgroups::Limits& limits) {
  State& state = container.state;
  if (!state.scope)
    return cgroups::create(hierarchies, cgroup_name, limits, kGroupCoverage);
  container.save_state();
  cgroups::Group group =
      cgroups::create_with_systemd(hierarchies, state.scope->unit, options_of(state), limits);
  state.cgroups = group.directories();
  container.save_state();
  return group;
}

void update_group(const State& state, const cgroups::Limits& limits) {
  const cgroups::Group group = cgroups::open_group(state.cgroups);
  if (state.scope)
    cgroups::update_with_systemd(group, state.scope->unit, options_of(state), limits);
  else
    cgroups::update(group, limits);
}

void remove_group(const State& state) {
  if (!state.scope)
    return cgroups::end_group(state.cgroups);
  cgroups::Group group = cgroups::open_group(state.cgroups);
  group.kill_all();
  stop_with(cgroups::stop_systemd_unit, state);
  group.remove();
}

void remove_unrecorded_group(const State& state, const oci::Spec& spec) {
  const std::string path = group_path(state, spec);
  // A scope's placeholder ended with its `create`, and systemd ends the scope when it sees that, which it
  // does by watching the directory of version 2. One that it did not see end is stopped; one that holds a
  // process is another container's by now.
  if (state.scope)
    stop_with(cgroups::stop_empty_systemd_unit, state);
  std::vector<std::string> directories;
  for (const auto& hierarchy : cgroups::detect().all) {
    if (!state.scope || !hierarchy.v2)
      directories.push_back(hierarchy.mount_point + path);
  }
  cgroups::open_group(directories).remove();
}

}  // namespace trine::runtime::oci_cli
