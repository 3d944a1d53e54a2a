#pragma once

#include <string>
#include <vector>

#include "commands.h"
#include "globals.h"
#include "isolation/plan.h"
#include "runtime/backend/plan.h"
#include "runtime/oci/spec.h"
#include "state.h"

/// A container of class vm is kept by a process of the host's: trine-oci itself, as a command that only it
/// calls. The keeper is in the container's cgroup and network namespace, has its standard streams and its
/// terminal, starts the monitor, and ends with the exit code of the container's process. So it is what
/// engines take for that process. A process beside the first has a keeper of its own when its caller does not
/// stay.
namespace trine::runtime::oci_cli {

/// The keeper as a container of the host's. `guest` is the plan of what it keeps: its cgroup, network and
/// terminal become the keeper's, and what they may use in all.
backend::ContainerPlan make_keeper_plan(const Globals& globals, const backend::ContainerPlan& guest,
                                        const std::string& id);

/// A program of ours on the host, with the terminal that `process` asks for.
isolation::Plan make_host_plan(std::vector<std::string> words, const isolation::Process& process);

/// Where the keeper tells whether the program runs, and where other commands talk to it: in the state
/// directory.
constexpr const char* kReportSocket = "report";
std::string control_socket(const Globals& globals, const std::string& id);

/// `trine-oci __keep ID`: see above.
int run_keep(const Globals& globals, Arguments arguments);

/// Throws Error for a bundle that asks for what a VM has not.
void check_for_vm(const oci::Spec& spec);

}  // namespace trine::runtime::oci_cli
