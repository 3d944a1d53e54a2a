#pragma once

#include "images/store.h"
#include "isolation/plan.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// The image's layers under a writable one of the instance's own, whose root has the mode and owner of the
/// image's.
isolation::Root make_root(const Paths& paths, const images::Store& store, Instance& instance,
                          const images::Image& image, bool read_only);

}  // namespace trine::runtime::engine
