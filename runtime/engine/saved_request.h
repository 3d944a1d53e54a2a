#pragma once

#include <string>

#include "runtime/engine/instance.h"
#include "runtime/engine/paths.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// Keeps what was asked for when an instance was made, beside its layer: it can be started again. Throws
/// Error.
void save_request(const std::string& layer_directory, const SavedRequest& request);

/// Throws Error when it is not known: the instance was made by an older trine.
SavedRequest load_request(const Paths& paths, const Record& record);

}  // namespace trine::runtime::engine
