#include "base/error.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "store.h"

namespace trine::runtime::oci_cli {

int run_pause(const Globals& globals, Arguments arguments) {
  const auto rest = parse("pause", {}, std::move(arguments), 1, 1).rest;
  Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kRunning && status != Status::kCreated)
    throw base::Error("cannot pause container " + rest.front() + ": it is " + name_of(status));
  cgroups::Group group = cgroups::open_group(container.state.cgroups);
  group.freeze();
  container.state.cgroups = group.directories();
  container.save_state();
  return 0;
}

int run_resume(const Globals& globals, Arguments arguments) {
  const auto rest = parse("resume", {}, std::move(arguments), 1, 1).rest;
  const Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kPaused)
    throw base::Error("cannot resume container " + rest.front() + ": it is " + name_of(status) +
                      ", not paused");
  cgroups::open_group(container.state.cgroups).thaw();
  return 0;
}

}  // namespace trine::runtime::oci_cli
