#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verb.h"

/// kill, pause, unpause, stop, wait
namespace trine::runtime::cli {

std::vector<FlagText> kill_flag_texts();
int run_kill(const engine::Paths& paths, std::vector<std::string> arguments);

struct StopOptions {
  std::optional<std::chrono::seconds> patience = std::chrono::seconds(10);  ///< nothing: for ever
};
std::vector<FlagText> stop_flag_texts();
/// The instances named behind `verb`, which has the flags of stop.
std::vector<std::string> parse_stop(const char* verb, std::vector<std::string> arguments,
                                    StopOptions& options);
/// Stops them, and does `act` for each as soon as it has ended. The worst exit code.
int stop_each(const engine::Paths& paths, const std::vector<std::string>& references,
              const StopOptions& options, const std::function<int(const std::string& reference)>& act);
int run_stop(const engine::Paths& paths, std::vector<std::string> arguments);

int run_pause(const engine::Paths& paths, std::vector<std::string> arguments);
int run_unpause(const engine::Paths& paths, std::vector<std::string> arguments);

int run_wait(const engine::Paths& paths, std::vector<std::string> arguments);

}  // namespace trine::runtime::cli
