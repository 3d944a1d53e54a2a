#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "globals.h"
#include "runtime/args/flags.h"

/// What `trine-oci` can be told to do: a table of commands, and for each a table of flags.
namespace trine::runtime::oci_cli {

struct Command {
  const char* name;
  const char* synopsis;  ///< behind "trine-oci NAME"
  const char* summary;
  std::vector<args::FlagText> (*flags)();
  int (*run)(const Globals& globals, std::vector<std::string> arguments);
};

const std::vector<Command>& commands();
/// Throws Error for a name that is none.
const Command& find_command(std::string_view name);

std::string help_text(const Command& command);
std::string overview_text();
/// The page of the manual, all commands in it.
std::string man_page();

/// Parses a command's flags and gives them to `options`; returns the rest, whose size must lie in the range.
/// Prints the help and ends the process for --help.
args::ParsedFlags parse(const char* command, const std::vector<args::FlagText>& flags,
                        std::vector<std::string> arguments, std::size_t least, std::size_t most);

template <typename Options, std::size_t N>
std::vector<std::string> parse(const char* command, const args::Flag<Options> (&table)[N],
                               std::vector<std::string> arguments, Options& options, std::size_t least,
                               std::size_t most) {
  args::ParsedFlags parsed = parse(command, args::flag_texts(table), std::move(arguments), least, most);
  args::apply_flags(table, parsed, options);
  return std::move(parsed.rest);
}

/// Writes to standard output or throws.
void print(const std::string& text);

}  // namespace trine::runtime::oci_cli
