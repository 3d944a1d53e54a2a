#include "runtime/args/flags.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "words.h"

namespace trine::runtime::args {
namespace {

constexpr std::array kTrue{"true", "True", "TRUE", "t", "T", "1"};
constexpr std::array kFalse{"false", "False", "FALSE", "f", "F", "0"};

std::string help_hint(const std::string& command) {
  return command + " --help lists the flags";
}

void add_options(const std::vector<FlagText>& flags, CLI::App& app, std::vector<CLI::Option*>& options) {
  for (const auto& flag : flags) {
    const bool is_switch = flag.value == nullptr;
    auto* option = is_switch ? app.add_flag(flag.names) : app.add_option(flag.names);
    if (!is_switch)
      option->type_size(1)->expected(1)->allow_extra_args(false);
    option->multi_option_policy(is_switch ? CLI::MultiOptionPolicy::TakeLast
                                          : CLI::MultiOptionPolicy::TakeAll);
    options.push_back(option);
  }
}

[[noreturn]] void refuse_unknown(const std::string& command, const std::vector<FlagText>& flags,
                                 const std::string& word) {
  std::vector<std::string> known{"--help"};
  for (const auto& flag : flags)
    known.push_back("--" + std::string(flag.long_name()));
  const std::string name = word.substr(0, word.find('='));
  const std::string near = nearest(name, known);
  throw base::Error(command + " has no flag " + name, 0,
                    near.empty() ? help_hint(command) : "did you mean " + near + "?");
}

/// Every word that is left over is a flag that CLI11 does not know, or the last one, whose value is missing.
void parse(const std::string& command, const std::vector<FlagText>& flags, std::vector<std::string> words,
           CLI::App& app) {
  const std::string last = words.empty() ? "" : words.back();
  std::ranges::reverse(words);  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch&) {
    throw base::Error("the flag " + last + " needs a value", 0, help_hint(command));
  } catch (const CLI::ParseError& error) {
    throw base::Error(command + ": " + error.what(), 0, help_hint(command));
  }
  if (const auto unknown = app.remaining(); !unknown.empty() && app.count("--help") == 0)
    refuse_unknown(command, flags, unknown.front());
}

std::vector<std::string> switch_value(const FlagText& flag, const std::string& text) {
  if (std::ranges::find(kTrue, text) != kTrue.end())
    return {"true"};
  if (std::ranges::find(kFalse, text) != kFalse.end())
    return {"false"};
  const std::string name = "--" + std::string(flag.long_name());
  throw base::Error(name + " '" + text + "': it is a switch", 0, "write " + name + " or " + name + "=false");
}

}  // namespace

std::string_view FlagText::long_name() const {
  const std::string_view all = names;
  return all.substr(all.find("--") + 2);
}

char FlagText::short_name() const {
  return names[1] == '-' ? '\0' : names[1];
}

ParsedFlags parse_words(const std::string& command, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments, FlagsEnd end) {
  CLI::App app("", command);
  app.set_help_flag();  // ours says more
  app.allow_extras();
  app.add_flag("-h,--help");
  std::vector<CLI::Option*> options;
  add_options(flags, app, options);
  Words words = cut_words(flags, std::move(arguments), end);
  parse(command, flags, std::move(words.flags), app);
  ParsedFlags parsed{.values = {}, .rest = std::move(words.rest), .help = app.count("--help") > 0};
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (options[i]->count() == 0) {
      parsed.values.emplace_back();
    } else if (flags[i].value == nullptr) {
      parsed.values.push_back(switch_value(flags[i], options[i]->results().back()));
    } else {
      parsed.values.push_back(options[i]->results());
    }
  }
  return parsed;
}

}  // namespace trine::runtime::args
