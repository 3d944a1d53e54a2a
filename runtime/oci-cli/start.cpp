#include "base/error.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "hooks.h"
#include "isolation/gate.h"
#include "launch.h"
#include "runtime/backend/listener.h"
#include "runtime/backend/plan.h"
#include "runtime/backend/vm_report.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {

int run_start(const Globals& globals, Arguments arguments) {
  const auto rest = parse("start", {}, std::move(arguments), 1, 1).rest;
  Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kCreated) {
    throw base::Error(
        "cannot start container " + rest.front() + ": it is " + name_of(status) + ", not created", 0,
        status == Status::kStopped ? "delete it, and create it anew" : "");
  }
  const oci::Spec spec = container.load_spec();
  std::function<void(int)> on_listener;
  if (spec.linux_part.seccomp && !container.state.vm) {
    on_listener = [&, profile = backend::make_seccomp_profile(*spec.linux_part.seccomp)](int listener) {
      backend::send_listener(profile, state_document(container.state, "created", container.state.pid),
                             container.state.pid, listener);
    };
  }
  if (container.state.vm) {
    // Before it is let go: of one that has ended since there would be nothing to wait for.
    const base::UniqueFd keeper = container.open_process();
    const backend::ReportSocket report(container.directory(), kReportSocket);
    isolation::open_gate(container.directory());
    isolation::remove_gate(container.directory());
    report.await(keeper.get());
  } else {
    isolation::open_gate(container.directory(), on_listener);
    isolation::remove_gate(container.directory());
  }
  try {
    run_poststart_hooks(spec, state_document(container.state, "running", container.state.pid));
  } catch (const base::Error&) {
    // Since 1.3 that is the container's end.
    cgroups::open_group(container.state.cgroups).kill_all();
    throw;
  }
  return 0;
}

}  // namespace trine::runtime::oci_cli
