#pragma once

#include <string>
#include <vector>

#include "cgroups/group.h"
#include "isolation/start.h"

/// The confinement of a VM's monitor: what a container's is, and closer, for it needs nothing of the host but
/// the descriptors that it is given.
namespace trine::runtime::backend {

/// A program that is to run in nothing.
struct JailedProgram {
  std::vector<std::string> words;     ///< its name and arguments
  int executable = -1;                ///< open
  std::vector<int> kept_descriptors;  ///< what it gets beside standard error
  bool serves_files = false;          ///< acts for the guest's users on what the host shares with it
};

/// Starts it under an id that nobody else has (without privilege: in a user namespace that has only the
/// caller's own), in new namespaces of every kind, without network, capabilities and files, in `group`. It
/// dies with its caller. Throws base::Error.
isolation::Started start_jailed(const JailedProgram& program, const cgroups::Group& group,
                                const std::function<void(pid_t)>& on_created);

/// What a monitor of a guest with so much memory and so many processors may use. Beside the guest's memory it
/// needs little; the kernel's own about the guest, such as page tables, counts as well.
cgroups::Limits monitor_limits(std::uint64_t memory_bytes, unsigned cpus);

/// The monitor's group; without a name none, and the monitor is in its caller's. Without privilege it is made
/// where the host has delegated one, and none otherwise: the guest's size bounds it then. Throws base::Error.
cgroups::Group make_monitor_group(const std::string& name, const cgroups::Limits& limits);

}  // namespace trine::runtime::backend
