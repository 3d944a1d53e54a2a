#pragma once

#include <string>

#include "runtime/engine/run_options.h"

namespace trine::runtime::cli {

/// Whether `option`, of the third field of -v, is `idmap` with or without a value.
bool is_idmap(const std::string& option);

/// Reads "idmap=uids=0-1000-1#1-5000-10;gids=0-1000-1": each triplet is the first id of the file system, the
/// first one that it is shown as, and how many there are. `whole` is the flag's value, for errors: throws
/// base::Error. Source: podman-run(1), --volume, idmap.
void set_idmap(engine::VolumeMount& mount, const std::string& option, const std::string& whole);

}  // namespace trine::runtime::cli
