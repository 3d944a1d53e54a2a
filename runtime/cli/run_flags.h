#pragma once

#include "flags.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::cli {

std::vector<FlagText> run_flag_texts();

/// The command line of `trine run`, typed. Throws base::Error naming the flag, the value and the cure.
engine::RunOptions parse_run(std::vector<std::string> arguments);

/// That of `trine policy test`: the same flags, on either side of the image, and no command.
engine::RunOptions parse_policy_test(std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
