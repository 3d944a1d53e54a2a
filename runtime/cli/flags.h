#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "verb.h"

namespace trine::runtime::cli {

/// A flag and what it does to the verb's options. `apply` gets each value in turn; of a switch, "true" or
/// "false".
template <typename Options>
struct Flag {
  FlagText text;
  void (*apply)(Options& options, const std::string& value);
};

template <typename Options, std::size_t N>
std::vector<FlagText> flag_texts(const Flag<Options> (&table)[N]) {
  std::vector<FlagText> texts;
  texts.reserve(N);
  for (const auto& flag : table)
    texts.push_back(flag.text);
  return texts;
}

/// What was given for each flag of a table, and what stands behind the flags.
struct ParsedFlags {
  std::vector<std::vector<std::string>> values;  ///< by the flag's place in the table
  std::vector<std::string> rest;
};

/// Docker's grammar: "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "-n=VALUE", "-it"; a switch takes
/// "=true" and "=false". The last of repeated switches holds. Flags end at the first word that is none, or
/// behind "--".
///
/// Throws base::Error naming the flag. Prints the verb's help and ends the process for --help.
ParsedFlags parse_words(const char* verb, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments);

/// Hands the values to `options` in the table's order, and those of one flag in the order given.
template <typename Options, std::size_t N>
void apply_flags(const Flag<Options> (&table)[N], const ParsedFlags& parsed, Options& options) {
  for (std::size_t i = 0; i < N; ++i) {
    for (const auto& value : parsed.values[i])
      table[i].apply(options, value);
  }
}

/// Both. Returns what stands behind the flags.
template <typename Options, std::size_t N>
std::vector<std::string> parse_flags(const char* verb, const Flag<Options> (&table)[N],
                                     std::vector<std::string> arguments, Options& options) {
  ParsedFlags parsed = parse_words(verb, flag_texts(table), std::move(arguments));
  apply_flags(table, parsed, options);
  return std::move(parsed.rest);
}

/// "true" and "false" of a switch.
inline bool is_on(const std::string& value) {
  return value == "true";
}

}  // namespace trine::runtime::cli
