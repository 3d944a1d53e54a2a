#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> pull_flag_texts();
int run_pull(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> push_flag_texts();
int run_push(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> login_flag_texts();
int run_login(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> logout_flag_texts();
int run_logout(const engine::Paths& paths, std::vector<std::string> arguments);
int run_tag(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
