#pragma once

#include "verb.h"

/// `trine logs`
namespace trine::runtime::cli {

std::vector<FlagText> logs_flag_texts();
int run_logs(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
