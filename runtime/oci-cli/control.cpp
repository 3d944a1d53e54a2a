#include "base/error.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "runtime/backend/vm_exec.h"
#include "store.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {
namespace {

/// A VM stands still by its monitor: the kernel's own threads for it in its cgroup never freeze.
void set_paused(const Globals& globals, Container& container, bool paused) {
  const std::string socket = control_socket(globals, container.state.id);
  if (!(paused ? backend::pause_vm(socket) : backend::resume_vm(socket)))
    throw base::Error("container " + container.state.id + " has ended");
  container.state.paused = paused;
  container.save_state();
}

}  // namespace

int run_pause(const Globals& globals, Arguments arguments) {
  const auto rest = parse("pause", {}, std::move(arguments), 1, 1).rest;
  Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kRunning && status != Status::kCreated)
    throw base::Error("cannot pause container " + rest.front() + ": it is " + name_of(status));
  if (container.state.vm) {
    set_paused(globals, container, true);
    return 0;
  }
  cgroups::Group group = cgroups::open_group(container.state.cgroups);
  group.freeze();
  container.state.cgroups = group.directories();
  container.save_state();
  return 0;
}

int run_resume(const Globals& globals, Arguments arguments) {
  const auto rest = parse("resume", {}, std::move(arguments), 1, 1).rest;
  Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kPaused)
    throw base::Error("cannot resume container " + rest.front() + ": it is " + name_of(status) +
                      ", not paused");
  if (container.state.vm)
    set_paused(globals, container, false);
  else
    cgroups::open_group(container.state.cgroups).thaw();
  return 0;
}

}  // namespace trine::runtime::oci_cli
