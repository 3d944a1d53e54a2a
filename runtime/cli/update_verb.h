#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> update_flag_texts();
int run_update(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
