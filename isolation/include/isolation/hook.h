#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// Programs that run at moments of a container's life. Source: OCI runtime-spec 1.3
/// config.md#posix-platform-hooks.
namespace trine::isolation {

struct Hook {
  std::string path;                             ///< absolute
  std::vector<std::string> args;                ///< argv whole, args[0] included; empty: the path alone
  std::optional<std::vector<std::string>> env;  ///< nothing else is in its environment; absent: the caller's
  std::optional<std::chrono::seconds> timeout;
};

/// Runs a hook to its end, `state` on its standard input. Throws Error naming the hook with what it wrote on
/// standard error, when it fails or its time is over (it is killed then).
void run_hook(const Hook& hook, const std::string& state);
/// `stage`: its name in the runtime-spec ("createRuntime"), which the error tells with the hook's index.
void run_hooks(const char* stage, const std::vector<Hook>& hooks, const std::string& state);

}  // namespace trine::isolation
