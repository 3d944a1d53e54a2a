#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Command lines: one table of flags a verb, from which parsing, help and manual are made.
namespace trine::runtime::args {

/// One flag as a person sees it.
struct FlagText {
  const char* names;  ///< "-e,--env"
  const char* value;  ///< "NAME=VALUE"; null: a switch
  const char* group;  ///< heading in the help
  const char* help;

  /// "env"
  [[nodiscard]] std::string_view long_name() const;
  /// 'e', or 0 when there is none.
  [[nodiscard]] char short_name() const;
};

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
  bool help = false;  ///< --help was among them
};

/// Where flags end: at the first word that is none, when another program's words may follow, or nowhere.
enum class FlagsEnd { kFirstWord, kNever };

/// Docker's grammar: "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "-n=VALUE", "-it"; a switch takes
/// "=true" and "=false". The last of repeated switches holds. Flags end behind "--".
/// `command` is for messages: "trine run". Throws base::Error naming the flag.
ParsedFlags parse_words(const std::string& command, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments, FlagsEnd end = FlagsEnd::kFirstWord);

/// Hands the values to `options` in the table's order, and those of one flag in the order given.
template <typename Options, std::size_t N>
void apply_flags(const Flag<Options> (&table)[N], const ParsedFlags& parsed, Options& options) {
  for (std::size_t i = 0; i < N; ++i) {
    for (const auto& value : parsed.values[i])
      table[i].apply(options, value);
  }
}

/// "true" and "false" of a switch.
inline bool is_on(const std::string& value) {
  return value == "true";
}

/// What of `known` a mistyped or shortened word may stand for; empty when nothing is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace trine::runtime::args
