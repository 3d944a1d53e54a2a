#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <string_view>

#include "../builder.h"
#include "../detect.h"
#include "../placeholder.h"
#include "../plan.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroups/systemd.h"
#include "properties.h"
#include "variant.h"

namespace trine::cgroups {
namespace {

using Properties = std::vector<UnitProperty>;

/// What trine-systemd wrote when it failed: "trine-systemd: MESSAGE" and perhaps "hint: HINT".
[[noreturn]] void throw_what_it_said(const std::string& unit, const std::string& output) {
  std::string message;
  std::string hint;
  for (const auto& line : base::split(output, '\n', base::SplitEmpty::kSkip)) {
    constexpr std::string_view kName = "trine-systemd: ";
    constexpr std::string_view kHint = "hint: ";
    if (line.starts_with(kName) && message.empty())
      message = line.substr(kName.size());
    if (line.starts_with(kHint))
      hint = line.substr(kHint.size());
  }
  if (message.empty())
    message = "trine-systemd failed for " + unit + (output.empty() ? "" : ": " + output);
  throw base::Error(message, 0, hint);
}

/// Runs the helper and returns what it wrote.
std::string ask_systemd(const SystemdOptions& options, const char* verb, const SystemdUnit& unit,
                        const Properties& properties) {
  if (::access(options.helper.c_str(), X_OK) != 0) {
    throw base::Error("cannot run trine-systemd, which speaks to systemd: no program " + options.helper,
                      errno,
                      "install it beside trine-oci or in ../libexec/trine, or leave out --systemd-cgroup");
  }
  std::vector<std::string> arguments;
  if (options.user)
    arguments.emplace_back("--user");
  arguments.insert(arguments.end(), {verb, unit.name});
  for (const auto& [name, value] : properties)
    arguments.push_back(name + "=" + value);
  auto result = base::run_program(options.helper, arguments);
  if (result.status.signal == SIGALRM) {
    throw base::Error("systemd does not answer: gave up on " + unit.name, ETIMEDOUT,
                      "systemctl status says what the manager does");
  }
  if (result.status.code != 0)
    throw_what_it_said(unit.name, result.output);
  return std::move(result.output);
}

/// systemd has properties for version 2 where it has nothing but that.
bool manages_v2(const Hierarchies& hierarchies) {
  return hierarchies.layout == Layout::kV2;
}

std::string list_of(const std::vector<pid_t>& pids) {
  std::string list = "@au [";
  for (const auto& pid : pids)
    list += (&pid == pids.data() ? "" : ", ") + std::to_string(pid);
  return list + "]";
}

Properties scope_properties(const Hierarchies& hierarchies, const SystemdUnit& unit,
                            const SystemdOptions& options, const Limits& limits,
                            const std::vector<pid_t>& pids) {
  const bool v2 = manages_v2(hierarchies);
  Properties properties{{"Description", systemd::quote(options.description)},
                        {"Slice", systemd::quote(unit.slice)},
                        {"PIDs", list_of(pids)},
                        {"Delegate", options.delegate ? "true" : "false"},
                        // The container is to live until it is stopped, not until sysinit.target is.
                        {"DefaultDependencies", "false"},
                        // A scope that failed would keep its name.
                        {"CollectMode", "'inactive-or-failed'"},
                        {"CPUAccounting", "true"},
                        {"MemoryAccounting", "true"},
                        {"TasksAccounting", "true"},
                        {v2 ? "IOAccounting" : "BlockIOAccounting", "true"}};
  const auto of_limits = systemd::properties_of(limits, v2);
  const auto asked = systemd::check_properties(options.properties);
  properties.insert(properties.end(), of_limits.begin(), of_limits.end());
  // systemd takes the last value of those that have one, and adds to those that are lists.
  for (const auto& property : asked) {
    std::erase_if(properties, [&](const UnitProperty& other) { return other.first == property.first; });
    properties.push_back(property);
  }
  return properties;
}

/// "/system.slice/runc-abc.scope"
std::vector<std::string> components_of(const SystemdUnit& unit, std::string_view output) {
  const auto path = base::trim(output);
  const auto components = base::split(path, '/', base::SplitEmpty::kSkip);
  const bool leads_out = std::ranges::find(components, "..") != components.end();
  if (!path.starts_with('/') || components.empty() || leads_out) {
    throw base::Error("systemd started " + unit.name + ", but says that its cgroup is '" + std::string(path) +
                      "'");
  }
  return components;
}

/// A process can be born in a group only when its parent may write to the group that both are below. Where a
/// user's process is outside the tree of that user's manager, it may not.
void check_birth(const Hierarchies& hierarchies, const SystemdUnit& unit,
                 const std::vector<std::string>& scope) {
  const auto* const v2 = find_v2(hierarchies);
  const auto own = parse_own_v2_path(base::read_file("/proc/self/cgroup", 64 << 10));
  if (v2 == nullptr || !own)
    return;
  const auto mine = base::split(*own, '/', base::SplitEmpty::kSkip);
  const auto common = std::ranges::mismatch(mine, scope).in1;
  auto path = v2->mount_point;
  for (auto component = mine.begin(); component != common; ++component)
    path += "/" + *component;
  if (::access((path + "/cgroup.procs").c_str(), W_OK) == 0)
    return;
  const int error = errno;
  throw base::Error("cannot make a process in " + unit.name + " of the user's systemd from outside of it",
                    error, "start it from there: systemd-run --user --scope -p Delegate=yes …");
}

Plan plan_in_scope(const Hierarchies& hierarchies, const Limits& limits) {
  if (::geteuid() == 0 && !base::in_user_namespace())
    return plan_as_root(hierarchies, limits, Coverage::kEverywhere);
  const auto* const v2 = find_v2(hierarchies);
  const auto base = v2 == nullptr ? std::nullopt : std::optional(v2->mount_point);
  return plan_without_privilege(hierarchies, limits, base, Coverage::kEverywhere);
}

}  // namespace

Group create_with_systemd(const Hierarchies& hierarchies, const SystemdUnit& unit,
                          const SystemdOptions& options, const Limits& limits) {
  check_limits(limits);
  const auto plan = plan_in_scope(hierarchies, limits);
  auto pids = options.pids;
  std::unique_ptr<Placeholder> placeholder;
  if (pids.empty()) {
    placeholder = std::make_unique<Placeholder>();
    pids.push_back(placeholder->pid());
  }
  const auto properties = scope_properties(hierarchies, unit, options, limits, pids);
  const auto name = components_of(unit, ask_systemd(options, "start", unit, properties));
  if (placeholder && options.user)
    check_birth(hierarchies, unit, name);
  auto meanwhile = limits;
  const auto pids_max = limits.pids_max.value_or(-1);
  if (placeholder && pids_max >= 0 && pids_max < std::numeric_limits<std::int64_t>::max()) {
    placeholder->pids_max = pids_max;
    meanwhile.pids_max = pids_max + 1;
  }
  auto group = build(plan, name, meanwhile, Occupied::kShare);
  group.placeholder_ = std::move(placeholder);
  return group;
}

void update_with_systemd(const Group& group, const SystemdUnit& unit, const SystemdOptions& options,
                         const Limits& limits) {
  // First what checks the limits, and refuses them whole.
  update(group, limits);
  const auto properties = systemd::properties_of(limits, manages_v2(detect()));
  if (properties.empty())
    return;
  ask_systemd(options, "set", unit, properties);
  // systemd wrote its own idea of them, to the hundredth of a CPU.
  update(group, limits);
}

void stop_systemd_unit(const SystemdUnit& unit, const SystemdOptions& options) {
  ask_systemd(options, "stop", unit, {});
}

}  // namespace trine::cgroups
