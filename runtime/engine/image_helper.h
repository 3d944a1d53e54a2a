#pragma once

#include <string>
#include <vector>

/// Programs of trine's own that do what the run path must not be linked with.
namespace trine::runtime::engine {

struct HelperResult {
  int code = 0;  ///< as a shell has it
  std::string output;
};

/// Runs the program `name`, beside trine in a build tree or else where it is installed, and collects its
/// standard output, 1 MiB at most. Throws Error when it cannot be run.
HelperResult ask_helper(const std::string& name, const std::vector<std::string>& arguments);

/// The same, with `output` for its standard output, or trine's own; returns the exit code.
int run_helper(const std::string& name, const std::vector<std::string>& arguments, int output = -1);

/// The same, with the file for its standard output, or trine's own when it is empty. The file appears whole
/// or not at all, in place of what has the name; but a device or a pipe that has it is written to.
int run_helper_into(const std::string& file, const std::string& name,
                    const std::vector<std::string>& arguments);

}  // namespace trine::runtime::engine
