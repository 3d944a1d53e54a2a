#pragma once

#include <string>
#include <vector>

#include "runtime/args/flags.h"

namespace trine::runtime::cli {

using args::apply_flags;
using args::Flag;
using args::flag_texts;
using args::FlagText;
using args::is_on;
using args::ParsedFlags;

/// As args::parse_words() for `trine VERB`; prints the verb's help and ends the process for --help.
/// Flags may stand behind other words, but for a verb that takes another program's command.
ParsedFlags parse_words(const char* verb, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments, args::FlagsEnd end = args::FlagsEnd::kNever);

/// Parses, hands the values to `options`, and returns the words that are no flags.
template <typename Options, std::size_t N>
std::vector<std::string> parse_flags(const char* verb, const Flag<Options> (&table)[N],
                                     std::vector<std::string> arguments, Options& options) {
  ParsedFlags parsed = parse_words(verb, flag_texts(table), std::move(arguments));
  apply_flags(table, parsed, options);
  return std::move(parsed.rest);
}

}  // namespace trine::runtime::cli
