#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroups/group.h"
#include "netns/traffic.h"
#include "runtime/engine/instance.h"

/// What instances use, of either class.
namespace trine::runtime::engine {

struct InstanceStats {
  Record record;
  /// CPU time in microseconds since its first process was started, memory in bytes, processes. Unset: nobody
  /// counts it.
  cgroups::Stats used;
  /// What its network interfaces but loopback have carried, as it sees them. Unset: it has the host's.
  std::optional<std::vector<netns::Traffic>> network;
};

/// Of the instances named, or of all that run when none is; those that end meanwhile are left out. One of all
/// whose figures cannot be had, as those of a VM whose guest is not up yet, is listed without.
///
/// A container's figures are its cgroup's. On version 1 it has one only where it is limited: for what is not
/// counted there the processes of its pid namespace are added up, each with the children that it has waited
/// for and with pages that they share counted more than once. A VM's figures are those of the workload's
/// cgroup in the guest, as its kernel counts them; the monitor and the guest's kernel come on top. The
/// network is counted on the host, for a container since its interfaces were made, for a VM since its start.
///
/// Throws Error for one that is named, and that there is not or that does not run.
std::vector<InstanceStats> read_stats(const Paths& paths, const std::vector<std::string>& references);

}  // namespace trine::runtime::engine
