#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> save_flag_texts();
int run_save(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> history_flag_texts();
int run_history(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
