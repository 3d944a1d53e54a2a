#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> stats_flag_texts();
int run_stats(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
