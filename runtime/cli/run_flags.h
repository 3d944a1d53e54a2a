#pragma once

#include "flags.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::cli {

std::vector<FlagText> run_flag_texts();

/// The command line of `trine run`, or of another verb with its flags, typed. Throws base::Error naming the
/// flag, the value and the cure.
engine::RunOptions parse_run(std::vector<std::string> arguments, const std::string& verb = "run");

/// What was asked for before. Changes our directory and environment to what they were then, as far as they
/// count.
engine::RunOptions parse_again(const engine::SavedRequest& request);

/// That of `trine policy test`: the same flags, on either side of the image, and no command.
engine::RunOptions parse_policy_test(std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
