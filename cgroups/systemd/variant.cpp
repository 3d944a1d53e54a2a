#include "variant.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace trine::cgroups::systemd {
namespace {

constexpr std::size_t kMaximumText = 64 << 10;
constexpr int kMaximumDepth = 8;

struct Keyword {
  std::string_view word;
  char type;
};
constexpr std::array kKeywords{
    Keyword{"boolean", 'b'}, Keyword{"byte", 'y'},   Keyword{"int16", 'n'},      Keyword{"uint16", 'q'},
    Keyword{"int32", 'i'},   Keyword{"uint32", 'u'}, Keyword{"int64", 'x'},      Keyword{"uint64", 't'},
    Keyword{"double", 'd'},  Keyword{"string", 's'}, Keyword{"objectpath", 'o'}, Keyword{"signature", 'g'}};

struct Range {
  char type;
  std::int64_t lowest;
  std::uint64_t highest;
};
template <typename Number>
constexpr Range range_of(char type) {
  return {type, static_cast<std::int64_t>(std::numeric_limits<Number>::min()),
          static_cast<std::uint64_t>(std::numeric_limits<Number>::max())};
}
constexpr std::array kRanges{range_of<std::uint8_t>('y'),  range_of<std::int16_t>('n'),
                             range_of<std::uint16_t>('q'), range_of<std::int32_t>('i'),
                             range_of<std::uint32_t>('u'), range_of<std::int64_t>('x'),
                             range_of<std::uint64_t>('t')};

constexpr std::string_view kBasicTypes = "bynqiuxtdsog";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '+' ||
         c == '-' || c == '_';
}
bool is_text_type(char type) {
  return type == 's' || type == 'o' || type == 'g';
}

/// Thrown and caught in this file only.
struct Bad {
  std::string what;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Variant whole() {
    auto value = parse({}, 0);
    skip_blanks();
    if (at_ < text_.size())
      bad("there is something behind the value");
    return value;
  }

  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  [[noreturn]] static void bad(std::string what) { throw Bad{std::move(what)}; }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted)
      return false;
    ++at_;
    return true;
  }
  std::string_view word() {
    const auto start = at_;
    while (at_ < text_.size() && is_word(text_[at_]))
      ++at_;
    return text_.substr(start, at_ - start);
  }

  /// `type` is the complete type that the value is to have, or empty.
  Variant parse(std::string type, int depth) {
    if (depth > kMaximumDepth)
      bad("it is nested too deeply");
    skip_blanks();
    switch (peek()) {
      case '\0':
        bad("a value is missing");
      case '@':
        return annotated(type, depth);
      case '[':
        return array(std::move(type), depth);
      case '(':
        return tuple(type, depth);
      case '\'':
      case '"':
        return {.type = text_type(std::move(type)), .value = string()};
      default:
        return plain(std::move(type), depth);
    }
  }

  Variant annotated(const std::string& wanted, int depth) {
    ++at_;
    const auto length = type_length(text_.substr(at_));
    if (length == 0)
      bad("there is no type behind @");
    std::string type(text_.substr(at_, length));
    if (!wanted.empty() && wanted != type)
      bad("the type " + type + " stands where " + wanted + " is wanted");
    at_ += length;
    return parse(std::move(type), depth + 1);
  }

  Variant array(std::string type, int depth) {
    ++at_;
    if (!type.empty() && type.front() != 'a')
      bad("a list stands where the type " + type + " is wanted");
    std::string element = type.empty() ? "" : type.substr(1);
    std::vector<Variant> elements;
    while (!take(']')) {
      if (!elements.empty() && !take(','))
        bad("a list needs a comma or ] here");
      elements.push_back(parse(element, depth + 1));
      element = elements.front().type;
    }
    if (element.empty())
      bad("an empty list needs its type, like @as []");
    return {.type = "a" + element, .value = std::move(elements)};
  }

  Variant tuple(const std::string& type, int depth) {
    ++at_;
    if (!type.empty() && type.front() != '(')
      bad("a tuple stands where the type " + type + " is wanted");
    std::string_view wanted = type.empty() ? "" : std::string_view(type).substr(1, type.size() - 2);
    std::vector<Variant> members;
    std::string found = "(";
    while (!take(')')) {
      if (!members.empty() && !take(','))
        bad("a tuple needs a comma or ) here");
      if (!members.empty() && take(')'))
        break;  // "(1,)"
      const auto length = type_length(wanted);
      if (!type.empty() && length == 0)
        bad("the tuple has more members than its type " + type);
      members.push_back(parse(std::string(wanted.substr(0, length)), depth + 1));
      wanted.remove_prefix(length);
      found += members.back().type;
    }
    if (members.empty() || !wanted.empty())
      bad("the tuple has too few members");
    return {.type = found + ")", .value = std::move(members)};
  }

  static std::string text_type(std::string type) {
    if (type.empty())
      return "s";
    if (type.size() != 1 || !is_text_type(type.front()))
      bad("a string stands where the type " + type + " is wanted");
    return type;
  }

  std::string string() {
    const char quote = text_[at_++];
    std::string result;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\') {
        if (at_ == text_.size())
          break;
        c = unescape(text_[at_++]);
      }
      if (c == '\0')
        bad("a string has a zero byte in it");
      result += c;
    }
    if (at_ == text_.size())
      bad("a string does not end");
    ++at_;
    return result;
  }

  static char unescape(char c) {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '\\':
      case '\'':
      case '"':
        return c;
      default:
        bad(std::string("there is no escape \\") + c + " here");
    }
  }

  /// A keyword with a value behind it, a truth value or a number.
  Variant plain(std::string type, int depth) {
    const auto start = at_;
    const auto found = word();
    if (found.empty())
      bad(std::string("nothing begins with '") + text_[start] + "'");
    const auto keyword = std::ranges::find(kKeywords, found, &Keyword::word);
    if (keyword != kKeywords.end()) {
      const std::string named(1, keyword->type);
      if (!type.empty() && type != named)
        bad("the type " + named + " stands where " + type + " is wanted");
      return parse(named, depth + 1);
    }
    if (found == "true" || found == "false") {
      if (!type.empty() && type != "b")
        bad("a truth value stands where the type " + type + " is wanted");
      return {.type = "b", .value = found == "true"};
    }
    return number(found, std::move(type));
  }

  static Variant number(std::string_view found, std::string type) {
    const bool fraction = found.find('.') != std::string_view::npos;
    if (type.empty())
      type = fraction ? "d" : "i";
    if (type == "d")
      return {.type = std::move(type), .value = parse_whole<double>(found)};
    const auto range =
        std::ranges::find(kRanges, type, [](const Range& one) { return std::string(1, one.type); });
    if (range == kRanges.end() || fraction)
      bad("'" + std::string(found) + "' is no value of the type " + type);
    const bool is_signed = range->lowest < 0;
    if (!is_signed) {
      const auto value = parse_whole<std::uint64_t>(found);
      if (value > range->highest)
        bad("'" + std::string(found) + "' is too large for the type " + type);
      return {.type = std::move(type), .value = value};
    }
    const auto value = parse_whole<std::int64_t>(found);
    if (value < range->lowest || value > static_cast<std::int64_t>(range->highest))
      bad("'" + std::string(found) + "' is too large for the type " + type);
    return {.type = std::move(type), .value = value};
  }

  template <typename Number>
  static Number parse_whole(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      bad("'" + std::string(text) + "' is no number of the wanted type");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::size_t type_length_at(std::string_view signature, int depth) {
  if (signature.empty() || depth > kMaximumDepth)
    return 0;
  if (kBasicTypes.find(signature.front()) != std::string_view::npos)
    return 1;
  if (signature.front() == 'a') {
    const auto element = type_length_at(signature.substr(1), depth + 1);
    return element == 0 ? 0 : element + 1;
  }
  if (signature.front() != '(')
    return 0;
  std::size_t length = 1;
  while (length < signature.size() && signature[length] != ')') {
    const auto member = type_length_at(signature.substr(length), depth + 1);
    if (member == 0)
      return 0;
    length += member;
  }
  const bool ends = length < signature.size() && length > 1;
  return ends ? length + 1 : 0;
}

}  // namespace

std::size_t type_length(std::string_view signature) {
  return type_length_at(signature, 0);
}

std::expected<Variant, std::string> parse_variant(std::string_view text) {
  if (text.size() > kMaximumText)
    return std::unexpected("it is longer than 64 KiB");
  Parser parser(text);
  try {
    return parser.whole();
  } catch (const Bad& bad) {
    return std::unexpected(bad.what + " (at character " + std::to_string(parser.position() + 1) + ")");
  }
}

std::string quote(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\')
      result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "'";
}

}  // namespace trine::cgroups::systemd
