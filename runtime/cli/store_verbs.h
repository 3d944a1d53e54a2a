#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> image_flag_texts();
int run_image(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> system_flag_texts();
int run_system(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
