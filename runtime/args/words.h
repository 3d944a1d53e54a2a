#pragma once

#include <string>
#include <vector>

#include "runtime/args/flags.h"

namespace trine::runtime::args {

/// What stands behind a verb, cut where its flags end.
struct Words {
  std::vector<std::string> flags;
  std::vector<std::string> rest;  ///< without the "--" where flags end
};

/// Cuts, and writes the flags so that CLI11 reads them as docker(1) does. The two differ in these:
///
///   --entrypoint= IMAGE   an empty value; CLI11 would take IMAGE for it
///   -m=64m, -t=true       as with the long names; CLI11 would see "=64m", and a flag "="
///   --rm=                 no value for a switch
///
/// An unknown flag is left as it is, for CLI11 to meet. Throws base::Error for --rm= only.
Words cut_words(const std::vector<FlagText>& flags, std::vector<std::string> arguments, FlagsEnd end);

}  // namespace trine::runtime::args
