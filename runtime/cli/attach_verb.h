#pragma once

#include "verb.h"

/// `trine attach`
namespace trine::runtime::cli {

std::vector<FlagText> attach_flag_texts();
int run_attach(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
