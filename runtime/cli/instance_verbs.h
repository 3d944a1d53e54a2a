#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> ps_flag_texts();
int run_ps(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> rm_flag_texts();
int run_rm(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
