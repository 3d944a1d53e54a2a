#pragma once

#include <string>

#include "base/unique_fd.h"
#include "globals.h"
#include "handover.h"
#include "runtime/backend/container.h"
#include "runtime/oci/spec.h"
#include "store.h"

namespace trine::runtime::oci_cli {

struct LaunchOptions {
  std::string bundle;  ///< empty: the working directory
  std::string config;  ///< empty: config.json; a relative path begins in the bundle
  Handover handover;
  unsigned preserve_fds = 0;
  bool no_new_keyring = false;
};

/// A container that exists.
struct Launched {
  Container container;
  oci::Spec spec;
  backend::Container process;
  base::UniqueFd terminal;
};

/// Makes the container `id` of a bundle. With kWait its program waits for start; with kRun it runs at once.
/// Throws Error naming the step; nothing is left then but what poststop hooks did.
enum class Program { kWait, kRun };
Launched launch(const Globals& globals, const std::string& id, const LaunchOptions& options, Program program);

/// Ends what is left of a container, removes its cgroup, its hooks having run, and its state.
void destroy(Container& container, const oci::Spec* spec);

}  // namespace trine::runtime::oci_cli
