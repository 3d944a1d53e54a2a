#pragma once

#include <functional>
#include <string>

#include "runtime/engine/attach_instance.h"
#include "runtime/engine/run_options.h"

/// Instances that are made now and started later, and those that ended and are started again: what was asked
/// for when they were made is kept, as words, and asked for anew.
namespace trine::runtime::engine {

/// Makes an instance that can be started, prints its id, and returns 0. Its image is brought when it has to
/// be. Throws base::Error; nothing of it is left then.
int create(const RunOptions& options, const Paths& paths);

/// Reads what was asked for. It may change the process that it is called in: its directory, its environment.
using ReadRequest = std::function<RunOptions(const SavedRequest&)>;

/// Starts an instance that has ended, or has not run yet, in the background; one that runs is left as it is.
/// Returns 0, or the exit code of what failed, which has been said: the instance is as it was then. Throws
/// base::Error.
int start_instance(const Paths& paths, const std::string& reference, const ReadRequest& read);

/// The same, and stays with it as attach_to_instance() does, from the first byte that it writes. Its exit
/// code.
int start_attached(const Paths& paths, const std::string& reference, const ReadRequest& read,
                   const AttachRequest& request);

}  // namespace trine::runtime::engine
