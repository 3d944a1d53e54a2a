#pragma once

#include <CLI/CLI.hpp>

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
  for (const auto& flag : table)
    texts.push_back(flag.text);
  return texts;
}

/// Parses the flags before the first word that is none, and hands their values to `options` in the table's
/// order. Returns the rest: what stands behind an image's name is never taken for a flag of ours.
template <typename Options, std::size_t N>
std::vector<std::string> parse_flags(const char* verb, const Flag<Options> (&table)[N],
                                     std::vector<std::string> arguments, Options& options);

/// CLI11's part, which knows nothing of the options' type.
class Parser {
 public:
  explicit Parser(const char* verb);
  void add(const FlagText& text);
  /// Throws base::Error for what cannot be parsed; prints the help and ends for --help.
  std::vector<std::string> parse(std::vector<std::string> arguments);
  [[nodiscard]] std::vector<std::string> values(std::size_t flag) const;

 private:
  [[noreturn]] void refuse_unknown(const std::string& word) const;
  const char* verb_;
  CLI::App app_;
  std::vector<CLI::Option*> options_;
  std::vector<bool> switches_;
};

template <typename Options, std::size_t N>
std::vector<std::string> parse_flags(const char* verb, const Flag<Options> (&table)[N],
                                     std::vector<std::string> arguments, Options& options) {
  Parser parser(verb);
  for (const auto& flag : table)
    parser.add(flag.text);
  auto rest = parser.parse(std::move(arguments));
  for (std::size_t i = 0; i < N; ++i) {
    for (const auto& value : parser.values(i))
      table[i].apply(options, value);
  }
  return rest;
}

/// "true" and "false" of a switch.
inline bool is_on(const std::string& value) {
  return value == "true";
}

}  // namespace trine::runtime::cli
