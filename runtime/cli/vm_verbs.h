#pragma once

#include "verb.h"

/// Verbs of the VM class.
namespace trine::runtime::cli {

int run_kernel(const engine::Paths& paths, std::vector<std::string> arguments);
int run_check(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
