#pragma once

#include <string>
#include <vector>

#include "verb.h"

/// kill, pause, unpause, stop, wait
namespace trine::runtime::cli {

std::vector<FlagText> kill_flag_texts();
int run_kill(const engine::Paths& paths, std::vector<std::string> arguments);

std::vector<FlagText> stop_flag_texts();
int run_stop(const engine::Paths& paths, std::vector<std::string> arguments);

int run_pause(const engine::Paths& paths, std::vector<std::string> arguments);
int run_unpause(const engine::Paths& paths, std::vector<std::string> arguments);

int run_wait(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
