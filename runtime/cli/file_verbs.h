#pragma once

#include "verb.h"

namespace trine::runtime::cli {

std::vector<FlagText> import_flag_texts();
int run_import(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> export_flag_texts();
int run_export(const engine::Paths& paths, std::vector<std::string> arguments);
int run_diff(const engine::Paths& paths, std::vector<std::string> arguments);
std::vector<FlagText> commit_flag_texts();
int run_commit(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
