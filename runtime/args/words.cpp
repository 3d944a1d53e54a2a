#include "words.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace trine::runtime::args {
namespace {

class Cutter {
 public:
  Cutter(const std::vector<FlagText>& flags, std::vector<std::string> arguments)
      : flags_(flags), arguments_(std::move(arguments)) {}

  Words cut(FlagsEnd end) {
    while (next_ < arguments_.size()) {
      const std::string& word = arguments_[next_];
      const bool is_flag = word.size() >= 2 && word.front() == '-';
      if (!is_flag && end == FlagsEnd::kFirstWord)
        break;
      ++next_;
      if (word == "--")
        break;
      if (!is_flag)
        words_.rest.push_back(word);
      else
        word[1] == '-' ? cut_long(word) : cut_short(word);
    }
    const auto rest = arguments_.begin() + static_cast<std::ptrdiff_t>(next_);
    words_.rest.insert(words_.rest.end(), std::make_move_iterator(rest),
                       std::make_move_iterator(arguments_.end()));
    return std::move(words_);
  }

 private:
  void cut_long(const std::string& word) {
    const auto equals = word.find('=');
    const auto flag = std::ranges::find(flags_, word.substr(2, equals - 2), &FlagText::long_name);
    if (flag == flags_.end() || (flag->value == nullptr && equals == std::string::npos)) {
      words_.flags.push_back(word);
    } else if (flag->value == nullptr) {
      add_switch(*flag, word.substr(equals + 1));
    } else if (equals == std::string::npos) {
      words_.flags.push_back(word);
      take_value();
    } else {
      words_.flags.insert(words_.flags.end(), {word.substr(0, equals), word.substr(equals + 1)});
    }
  }

  /// One letter after another: switches, then perhaps a flag with a value, which the rest of the word is.
  void cut_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string letter{'-', word[i]};
      const auto flag = std::ranges::find(flags_, word[i], &FlagText::short_name);
      const bool equals = i + 1 < word.size() && word[i + 1] == '=';
      const std::string rest = word.substr(std::min(i + (equals ? 2 : 1), word.size()));
      if (flag != flags_.end() && flag->value == nullptr && equals)
        return add_switch(*flag, rest);
      words_.flags.push_back(letter);
      if (flag == flags_.end() || flag->value == nullptr)
        continue;
      if (rest.empty() && !equals)
        return take_value();
      words_.flags.push_back(rest);
      return;
    }
  }

  void take_value() {
    if (next_ < arguments_.size())
      words_.flags.push_back(arguments_[next_++]);
  }

  void add_switch(const FlagText& flag, const std::string& value) {
    const std::string name = "--" + std::string(flag.long_name());
    if (value.empty())
      throw base::Error(name + "= has no value", 0, "it is a switch: " + name + ", or " + name + "=false");
    words_.flags.push_back(name + "=" + value);
  }

  const std::vector<FlagText>& flags_;
  std::vector<std::string> arguments_;
  std::size_t next_ = 0;
  Words words_;
};

}  // namespace

Words cut_words(const std::vector<FlagText>& flags, std::vector<std::string> arguments, FlagsEnd end) {
  return Cutter(flags, std::move(arguments)).cut(end);
}

}  // namespace trine::runtime::args
