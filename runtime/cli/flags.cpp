#include "flags.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace trine::runtime::cli {

Parser::Parser(const char* verb) : verb_(verb), app_("", verb) {
  app_.set_help_flag();
  app_.prefix_command();
  app_.add_flag("-h,--help");
}

void Parser::add(const FlagText& text) {
  switches_.push_back(text.value == nullptr);
  if (text.value == nullptr) {
    options_.push_back(app_.add_flag(text.names));
  } else {
    auto* option = app_.add_option(text.names);
    option->type_size(1)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    options_.push_back(option);
  }
}

void Parser::refuse_unknown(const std::string& word) const {
  std::vector<std::string> known;
  for (const auto* option : app_.get_options()) {
    for (const auto& name : option->get_lnames())
      known.push_back("--" + name);
  }
  const std::string near = nearest(word.substr(0, word.find('=')), known);
  throw base::Error(
      std::string("trine ") + verb_ + " has no flag " + word, 0,
      near.empty() ? std::string("trine ") + verb_ + " --help lists them" : "did you mean " + near + "?");
}

std::vector<std::string> Parser::parse(std::vector<std::string> arguments) {
  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    app_.parse(arguments);
  } catch (const CLI::ParseError& error) {
    throw base::Error(std::string("trine ") + verb_ + ": " + error.what(), 0,
                      std::string("trine ") + verb_ + " --help lists the flags");
  }
  if (app_.count("--help") > 0) {
    print(help_text(find_verb(verb_)));
    ::exit(0);
  }
  auto rest = app_.remaining();
  if (!rest.empty() && rest.front() == "--") {
    rest.erase(rest.begin());
  } else if (!rest.empty() && rest.front().size() > 1 && rest.front().starts_with('-')) {
    refuse_unknown(rest.front());
  }
  return rest;
}

std::vector<std::string> Parser::values(std::size_t flag) const {
  const CLI::Option* option = options_[flag];
  if (option->count() == 0)
    return {};
  if (!switches_[flag])
    return option->results();
  const std::string text = option->results().back();
  if (text == "true" || text == "1")
    return {"true"};
  if (text == "false" || text == "0" || text == "-1")
    return {"false"};
  throw base::Error(std::string("trine ") + verb_ + ": " + option->get_name() +
                    " is a switch and takes no '" + text + "'");
}

}  // namespace trine::runtime::cli
