#pragma once

#include "verb.h"

/// `trine attach`
namespace trine::runtime::cli {

/// Of the flags that start has too.
constexpr const char* kDetachKeys = "\x10\x11";  // ctrl-p,ctrl-q
constexpr const char* kDetachKeysText = "what leaves it alone again (default: ctrl-p,ctrl-q); empty for none";
constexpr const char* kSignalProxyText =
    "pass on signals (default: true); else they end this trine alone, and it goes on";
std::string read_detach_keys(const std::string& text);

std::vector<FlagText> attach_flag_texts();
int run_attach(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
