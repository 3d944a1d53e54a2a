#pragma once

#include <string>

#include "runtime/engine/run_options.h"

/// The values of --log-driver and --log-opt. Throw base::Error, which names the flag.
namespace trine::runtime::cli {

void set_log_driver(engine::RunOptions& options, const std::string& text);
void set_log_option(engine::RunOptions& options, const std::string& text);

}  // namespace trine::runtime::cli
