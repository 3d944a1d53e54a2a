#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/args/flags.h"
#include "runtime/engine/paths.h"

/// What `trine` can be told to do: a table of verbs, and for each one table of flags, from which parsing,
/// help and man pages are made.
namespace trine::runtime::cli {

using args::FlagText;

struct Verb {
  const char* name;
  const char* synopsis;  ///< behind "trine NAME"
  const char* summary;   ///< one line
  const char* details;   ///< paragraphs for help and manual
  const char* examples;  ///< two lines, each a command
  std::vector<FlagText> (*flags)();
  int (*run)(const engine::Paths& paths, std::vector<std::string> arguments);
};

const std::vector<Verb>& verbs();
const Verb& find_verb(std::string_view name);

/// `trine VERB --help`
std::string help_text(const Verb& verb);
/// `trine --help`
std::string overview_text();
/// Section 1 of the manual, in roff. `name` is a verb, or empty for trine itself.
std::string man_page(std::string_view name);

/// Writes to standard output or throws: a full disk or a closed pipe is an error like any other.
void print(const std::string& text);

}  // namespace trine::runtime::cli
