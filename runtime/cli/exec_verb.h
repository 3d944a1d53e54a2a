#pragma once

#include <string>
#include <vector>

#include "verb.h"

/// exec
namespace trine::runtime::cli {

std::vector<FlagText> exec_flag_texts();
int run_exec(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
