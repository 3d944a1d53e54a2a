#pragma once

#include "images/store.h"
#include "isolation/plan.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// The image's layers under a writable one of the instance's own, whose root has the mode and owner of the
/// image's.
isolation::Root make_root(const Paths& paths, Instance& instance, const images::MountedLayers& layers,
                          bool read_only);

/// Has the kernel read the program from its layer, as a rule, before it is executed: to be called beside the
/// container's start, which has a processor of its own. A best guess that may find nothing.
void read_ahead(const images::MountedLayers& layers, const isolation::Process& process);

/// Removes the mark that keeps the writable layer from being mounted again after a crash: one that goes with
/// its instance never is. To be called while the program runs, as long as nobody waits.
void drop_crash_mark(Instance& instance);

}  // namespace trine::runtime::engine
