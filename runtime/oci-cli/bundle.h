#pragma once

#include <string>
#include <vector>

#include "runtime/backend/plan.h"
#include "runtime/oci/spec.h"
#include "state.h"

namespace trine::runtime::oci_cli {

/// A bundle that this runtime can make a container of.
struct Bundle {
  std::string path;  ///< absolute
  std::string text;  ///< of config.json
  oci::Spec spec;
  bool vm = false;  ///< its isolation class
};

/// Reads and checks it. `path` empty: the working directory. `config`: the file, absolute or from there on;
/// empty: config.json. Throws Error, also for an isolation class that is not built in: it is never replaced
/// by a weaker one.
Bundle load_bundle(const std::string& path, const std::string& config = {});

/// The state of a container that is about to be made of it.
void describe(const Bundle& bundle, State& state);

/// The cgroup of a container: linux.cgroupsPath, or its id.
std::string cgroup_name(const backend::ContainerPlan& plan, const std::string& id);

}  // namespace trine::runtime::oci_cli
