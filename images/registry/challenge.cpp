#include "challenge.h"

#include <algorithm>

#include "base/text.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxChallenges = 8;
constexpr std::size_t kMaxValues = 16;

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void skip(std::string_view what) {
    while (!text_.empty() && what.find(text_.front()) != std::string_view::npos)
      text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c)
      return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string word() {
    std::string result;
    for (; !text_.empty() && is_token(text_.front()); text_.remove_prefix(1)) {
      const char c = text_.front();
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return result;
  }
  /// A token or a quoted string, as it is.
  std::string value() {
    std::string result;
    if (!take('"')) {
      for (; !text_.empty() && is_token(text_.front()); text_.remove_prefix(1))
        result += text_.front();
      return result;
    }
    while (!text_.empty() && text_.front() != '"') {
      if (text_.front() == '\\' && text_.size() > 1)
        text_.remove_prefix(1);
      result += text_.front();
      text_.remove_prefix(1);
    }
    take('"');
    return result;
  }

 private:
  std::string_view text_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Reader reader(header);
  for (;;) {
    reader.skip(" \t,");
    std::string name = reader.word();
    if (name.empty())
      return challenges;
    reader.skip(" \t");
    // "name=" belongs to the challenge before it; a name alone begins the next.
    if (!reader.take('=')) {
      if (challenges.size() == kMaxChallenges)
        return challenges;
      challenges.push_back({.scheme = std::move(name), .values = {}});
      continue;
    }
    reader.skip(" \t");
    std::string value = reader.value();
    if (!challenges.empty() && challenges.back().values.size() < kMaxValues)
      challenges.back().values[std::move(name)] = std::move(value);
  }
}

}  // namespace trine::images
