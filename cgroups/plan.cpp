#include "plan.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "detect.h"

namespace trine::cgroups {
namespace {

Place& place_at(Plan& plan, const std::string& base, bool v2) {
  const auto found = std::ranges::find(plan.places, base, &Place::base);
  if (found != plan.places.end())
    return *found;
  plan.places.push_back({.base = base, .v2 = v2, .controllers = {}, .needs = {}});
  return plan.places.back();
}

/// The same for something that was asked for.
Place& limited_place_at(Plan& plan, const std::string& base, bool v2) {
  Place& place = place_at(plan, base, v2);
  place.limited = true;
  return place;
}

void add_v2(Plan& plan, const std::string& base, const Controller& controller, const char* limit) {
  Place& place = limited_place_at(plan, base, true);
  place.controllers.push_back(&controller);
  place.needs.push_back({.controller = std::string(controller.v2_name), .limit = limit});
}

/// What a v1 hierarchy's other controllers do to who joins it: a process cannot join an empty cpuset, so one
/// that shares it with a wanted controller is filled; and a frozen group stops it.
void mind_shared_controllers(Place& place, const Hierarchy& hierarchy) {
  place.freezer = std::ranges::find(hierarchy.controllers, "freezer") != hierarchy.controllers.end();
  const auto cpuset = std::ranges::find(controllers(), "cpuset", &Controller::v1_name);
  const bool shared = std::ranges::find(hierarchy.controllers, "cpuset") != hierarchy.controllers.end();
  if (shared && std::ranges::find(place.controllers, &*cpuset) == place.controllers.end()) {
    place.controllers.push_back(&*cpuset);
  }
}

[[noreturn]] void no_controller(const char* limit, const Controller& controller) {
  throw base::Error(
      "cannot set the " + std::string(limit) + " limit: this machine has no cgroup controller " +
          std::string(controller.v1_name),
      ENOENT,
      controller.v2_name.empty()
          ? "only cgroup v1 has it; leave the limit out, or mount it below /sys/fs/cgroup"
          : "/proc/cgroups lists what the kernel has; it must be mounted below /sys/fs/cgroup too");
}

void plan_limits(Plan& plan, const Hierarchies& hierarchies, const Limits& limits) {
  const Hierarchy* const v2 = find_v2(hierarchies);
  for (const auto& controller : controllers()) {
    const char* const limit = controller.wanted(limits);
    if (limit == nullptr)
      continue;
    // A controller is on one version at a time. v1's are known by then, and v2's cost a file to read.
    if (const Hierarchy* const v1 = find_v1(hierarchies, controller.v1_name)) {
      Place& place = limited_place_at(plan, v1->mount_point, false);
      place.controllers.push_back(&controller);
      mind_shared_controllers(place, *v1);
    } else if (v2 != nullptr && !controller.v2_name.empty()) {
      add_v2(plan, v2->mount_point, controller, limit);
    } else {
      no_controller(limit, controller);
    }
  }
}

void plan_unified(Plan& plan, const std::optional<std::string>& base, const Limits& limits) {
  if (limits.unified.empty())
    return;
  if (!base) {
    throw base::Error(
        "cannot set " + limits.unified.begin()->first + ": it is a file of cgroup v2, and there is none here",
        ENOENT, "use the limit's own field, which is for both versions");
  }
  Place& place = limited_place_at(plan, *base, true);
  for (const auto& [file, value] : limits.unified) {
    const auto controller = file.substr(0, file.find('.'));
    if (controller == "cgroup")
      continue;  // the core's files are in every group
    if (std::ranges::find(place.needs, controller, &Need::controller) != place.needs.end())
      continue;
    place.needs.push_back({.controller = controller, .limit = file});
  }
}

void plan_devices(Plan& plan, const Hierarchies& hierarchies, const Limits& limits) {
  if (limits.devices.empty() || allows_everything(limits.devices))
    return;
  const Hierarchy* const v1 = find_v1(hierarchies, "devices");
  const Hierarchy* const v2 = find_v2(hierarchies);
  if (v1 != nullptr)
    plan.device_policy = v1_policy(limits.devices);
  if (v1 != nullptr && plan.device_policy) {
    Place& place = limited_place_at(plan, v1->mount_point, false);
    place.devices = true;
    mind_shared_controllers(place, *v1);
  } else if (v2 != nullptr) {
    limited_place_at(plan, v2->mount_point, true).devices = true;
  } else if (v1 != nullptr) {
    throw base::Error(
        "cannot control devices: cgroup v1 cannot hold a rule that takes some devices out of a wider rule",
        ENOTSUP, "list the devices one by one, or mount cgroup v2");
  } else {
    throw base::Error(
        "cannot control devices: this machine has neither cgroup v2 nor v1's devices controller", ENOENT,
        "mount one of them: mount -t cgroup2 none /sys/fs/cgroup");
  }
}

/// They become the first word of a line in a control file.
template <typename Value>
void check_names(const std::map<std::string, Value>& values, const std::string& what) {
  for (const auto& [name, value] : values) {
    if (name.empty() || std::ranges::any_of(name, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
      throw base::Error("'" + name + "' is no name of a" + (what.front() == 'R' ? "n " : " ") + what, EINVAL);
  }
}

void plan_everywhere(Plan& plan, const Hierarchies& hierarchies) {
  for (const auto& hierarchy : hierarchies.all) {
    Place& place = place_at(plan, hierarchy.mount_point, hierarchy.v2);
    place.all_controllers = hierarchy.v2;
    if (!hierarchy.v2)
      mind_shared_controllers(place, hierarchy);
  }
}

}  // namespace

Plan plan_as_root(const Hierarchies& hierarchies, const Limits& limits, Coverage coverage) {
  Plan plan;
  plan_limits(plan, hierarchies, limits);
  const Hierarchy* const v2 = find_v2(hierarchies);
  plan_unified(plan, v2 != nullptr ? std::optional(v2->mount_point) : std::nullopt, limits);
  plan_devices(plan, hierarchies, limits);
  if (coverage == Coverage::kEverywhere)
    plan_everywhere(plan, hierarchies);
  return plan;
}

Plan plan_without_privilege(const Hierarchies& hierarchies, const Limits& limits,
                            const std::optional<std::string>& delegated, Coverage coverage) {
  Plan plan;
  for (const auto& controller : controllers()) {
    const char* const limit = controller.wanted(limits);
    if (limit == nullptr)
      continue;
    const auto sentence = "cannot set the " + std::string(limit) + " limit without root: ";
    if (find_v1(hierarchies, controller.v1_name) != nullptr) {
      throw base::Error(sentence + "the controller " + std::string(controller.v1_name) +
                            " is on cgroup v1, where only root may make groups",
                        EPERM,
                        "run as root, leave the limit out, or boot with systemd.unified_cgroup_hierarchy=1");
    }
    if (controller.v2_name.empty())
      no_controller(limit, controller);
    if (!delegated) {
      throw base::Error(sentence + "the controller " + std::string(controller.v2_name) +
                            " needs a cgroup v2 group that is delegated to this user, and there is none",
                        EPERM, "start trine by: systemd-run --user --scope -p Delegate=yes trine …");
    }
    add_v2(plan, *delegated, controller, limit);
  }
  plan_unified(plan, delegated, limits);
  if (coverage == Coverage::kEverywhere && delegated)
    place_at(plan, *delegated, true).all_controllers = true;
  return plan;
}

void check_limits(const Limits& limits) {
  const auto memory = limits.memory_bytes.value_or(-1);
  const auto sum = limits.memory_swap_bytes.value_or(-1);
  if (sum >= 0 && memory > sum) {
    throw base::Error("cannot limit memory and swap together to " + std::to_string(sum) +
                          " bytes: that is less than the memory limit, " + std::to_string(memory),
                      EINVAL, "the swap limit is the sum of memory and swap");
  }
  for (const auto& limit : limits.hugepages) {
    // It becomes part of a file's name.
    const bool plain =
        std::ranges::all_of(limit.page_size, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (limit.page_size.empty() || !plain) {
      throw base::Error("bad huge page size '" + limit.page_size + "'", EINVAL, "it reads like 2MB or 1GB");
    }
  }
  check_names(limits.rdma, "RDMA device");
  check_names(limits.network_priorities, "network interface");
  for (const auto& [file, value] : limits.unified) {
    if (file.find('.') == std::string::npos || file.find('/') != std::string::npos || file.front() == '.') {
      throw base::Error("'" + file + "' is no control file of cgroup v2", EINVAL,
                        "it reads like memory.high");
    }
  }
}

}  // namespace trine::cgroups
