#pragma once

#include <optional>
#include <string>

#include "cgroups/limits.h"
#include "isolation/plan.h"
#include "isolation/seccomp.h"
#include "netns/devices.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::backend {

/// A container as the libraries below take it: no JSON, no names left to look up.
struct ContainerPlan {
  isolation::Plan isolation;
  cgroups::Limits limits;
  std::optional<isolation::SeccompProfile>
      seccomp;                                 ///< compiled at the start, if `isolation` has no filter yet
  std::vector<netns::DeviceMove> net_devices;  ///< for network_mover() (net_devices.h)
  std::string
      cgroup_name;  ///< from linux.cgroupsPath, relative to a hierarchy's root; empty: the caller's choice
};

/// Turns a validated specification into a plan. Relative paths in it begin at `bundle`; `id` is the
/// container's, for what is named after it. Throws base::Error for a name that is none: a capability, a
/// limit, an action of seccomp.
ContainerPlan make_plan(const oci::Spec& spec, const std::string& bundle, const std::string& id = {});

/// The process part alone, with what `container` asks of each of its processes.
isolation::Process make_process(const oci::Process& process, const oci::Linux& container = {});

/// linux.resources as limits, for an update: no devices.
cgroups::Limits make_limits(const oci::Resources& resources);

/// linux.intelRdt alone, for the container with this id.
std::optional<isolation::Resctrl> make_resctrl(const oci::Linux& part, const std::string& id);

/// The seccomp part alone.
isolation::SeccompProfile make_seccomp_profile(const oci::Seccomp& seccomp);

/// Names to the bit mask of CAP_… numbers. One that this kernel does not know is passed over with a warning,
/// as the specification asks.
std::uint64_t capability_mask(const std::vector<std::string>& names);

}  // namespace trine::runtime::backend
