#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroups/group.h"
#include "controllers.h"
#include "device_policy.h"

/// Which directories a group needs, decided before the first is made.
namespace trine::cgroups {

/// A controller of version 2 that must be given to the group, and the user's word for the limit that needs
/// it.
struct Need {
  std::string controller;
  std::string limit;
};

/// One directory to make.
struct Place {
  std::string base;  ///< the group lies below it
  bool v2 = false;
  std::vector<const Controller*> controllers;  ///< to apply
  std::vector<Need> needs;                     ///< v2 only
  bool devices = false;                        ///< device rules apply here
  bool limited = false;                        ///< false: it is here for Coverage::kEverywhere only
  bool freezer = false;                        ///< v1 only: the freezer's hierarchy; v2 has it everywhere
  bool all_controllers = false;                ///< v2 only: give the group whatever the groups above have
};

struct Plan {
  std::vector<Place> places;
  std::optional<DevicePolicy> device_policy;  ///< when the devices are controlled on v1
};

/// For root. Throws Error{ENOENT} for a limit that no hierarchy can give.
///
/// Devices: v1's hierarchy when there is one and it can hold the rules, else eBPF on v2. Measured on a hybrid
/// machine (Linux 6.18, twelve rules), v1 costs 100 microseconds a group (mkdir 20, rules 25, join_self 20,
/// rmdir 25), v2 with eBPF 175 (mkdir 25, load 100, clone into it 15, rmdir 30) and 50 once for libbpf's
/// probe.
///
/// With Coverage::kEverywhere, every other hierarchy follows.
Plan plan_as_root(const Hierarchies& hierarchies, const Limits& limits,
                  Coverage coverage = Coverage::kWhereLimited);

/// For everyone else: no device control, and limits below `delegated` on v2 only. Throws Error for a limit
/// that this cannot give.
Plan plan_without_privilege(const Hierarchies& hierarchies, const Limits& limits,
                            const std::optional<std::string>& delegated,
                            Coverage coverage = Coverage::kWhereLimited);

/// Throws Error for limits that no kernel can take, before anything is done.
void check_limits(const Limits& limits);

}  // namespace trine::cgroups
