#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ranges>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "builder.h"
#include "detect.h"
#include "plan.h"

namespace trine::cgroups {
namespace {

/// The components of a group's name: nothing that leads out of the hierarchy.
std::vector<std::string> components_of(const std::string& name) {
  auto components = base::split(name, '/', base::SplitEmpty::kSkip);
  const auto is_bad = [](const std::string& component) {
    return component == "." || component == ".." || component.size() > NAME_MAX ||
           std::ranges::any_of(component, [](unsigned char c) { return c < ' '; });
  };
  if (components.empty() || std::ranges::any_of(components, is_bad)) {
    throw base::Error("'" + name + "' is no name for a cgroup", EINVAL,
                      "it is one or more plain names with slashes between them, like trine-web");
  }
  return components;
}

bool is_writable(const std::string& directory) {
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0 &&
         ::faccessat(AT_FDCWD, (directory + "/cgroup.procs").c_str(), W_OK, AT_EACCESS) == 0;
}

/// The group that this process may make groups in: the one above its own, where an own process is no obstacle
/// to giving controllers away, else its own.
std::optional<std::string> delegated_group(const Hierarchies& hierarchies) {
  const Hierarchy* const v2 = find_v2(hierarchies);
  if (v2 == nullptr)
    return std::nullopt;
  std::optional<std::string> own;
  try {
    own = parse_own_v2_path(base::read_file("/proc/self/cgroup", 64 << 10));
  } catch (const base::Error&) {
    return std::nullopt;  // no /proc: nothing is known of us
  }
  if (!own)
    return std::nullopt;
  const auto slash = own->find_last_of('/');
  const bool at_root = *own == "/";
  auto above = v2->mount_point + own->substr(0, slash);
  if (!at_root && is_writable(above))
    return above;
  auto self = v2->mount_point + (at_root ? "" : *own);
  return is_writable(self) ? std::optional(self) : std::nullopt;
}

bool is_denied(const base::Error& error) {
  return error.errno_value() == EACCES || error.errno_value() == EPERM || error.errno_value() == EROFS;
}

/// Null for a hierarchy that nothing was asked of and that we may not write to: one mounted read-only, as in
/// a container. In a user namespace that is an Error, since the whole plan is another one there: see
/// create().
const Directory* make(Builder& builder, const Place& place) {
  try {
    return &builder.make(place);
  } catch (const base::Error& error) {
    if (place.limited || !is_denied(error) || base::in_user_namespace())
      throw;
    return nullptr;
  }
}

void apply(const Plan& plan, const Place& place, const Directory& directory, const Limits& limits) {
  for (const auto* const controller : place.controllers) {
    (place.v2 ? controller->apply_v2 : controller->apply_v1)(directory, limits);
  }
  if (place.v2) {
    for (const auto& [file, value] : limits.unified)
      directory.write(file, value, file);
  }
  if (place.devices && place.v2)
    v2::apply_devices(directory, limits.devices);
  if (place.devices && !place.v2)
    v1::apply_devices(directory, *plan.device_policy);
}

}  // namespace

Group build(const Plan& plan, const std::vector<std::string>& name, const Limits& limits, Occupied occupied) {
  Builder builder(name, occupied);
  for (const auto& place : plan.places) {
    if (const Directory* const directory = make(builder, place))
      apply(plan, place, *directory, limits);
  }
  return std::move(builder).finish();
}

Group create(const Hierarchies& hierarchies, const std::string& name, const Limits& limits,
             Coverage coverage) {
  const auto components = components_of(name);
  check_limits(limits);
  if (::geteuid() == 0) {
    try {
      return build(plan_as_root(hierarchies, limits, coverage), components, limits, Occupied::kRefuse);
    } catch (const base::Error& error) {
      if (!is_denied(error) || !base::in_user_namespace())
        throw;
    }
  }
  const auto delegated = delegated_group(hierarchies);
  return build(plan_without_privilege(hierarchies, limits, delegated, coverage), components, limits,
               Occupied::kRefuse);
}

}  // namespace trine::cgroups
