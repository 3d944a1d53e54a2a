#pragma once

#include "verb.h"

/// `trine policy`: what the isolation policy says.
namespace trine::runtime::cli {

int run_policy(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
