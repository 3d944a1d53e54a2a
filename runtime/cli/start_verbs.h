#pragma once

#include "verb.h"

/// `trine create`, `start` and `restart`
namespace trine::runtime::cli {

int run_create(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> start_flag_texts();
int run_start(const engine::Paths& paths, std::vector<std::string> arguments);
int run_restart(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
