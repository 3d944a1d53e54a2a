#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> images_flag_texts();
int run_images(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> load_flag_texts();
int run_search(const engine::Paths& paths, std::vector<std::string> arguments);
int run_load(const engine::Paths& paths, std::vector<std::string> arguments);
int run_rmi(const engine::Paths& paths, std::vector<std::string> arguments);
int run_inspect(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
