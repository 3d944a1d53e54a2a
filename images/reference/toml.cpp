#include "toml.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;
using KeyPath = std::vector<std::string>;

constexpr std::size_t kMaxText = 1 << 20;
constexpr int kMaxDepth = 16;

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Json parse() {
    Json root = Json::object();
    Json* table = &root;
    for (skip_lines(); !at_end(); skip_lines()) {
      if (peek() == '[')
        table = &header(root);
      else
        assign(*table);
      skip_blanks();
      if (!at_end() && peek() != '\n' && peek() != '#')
        refuse("what stands behind the value");
    }
    return root;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, place_), '\n');
    throw base::Error(name_ + ", line " + std::to_string(line) + ": cannot read " + what, 0,
                      "registries.conf(5) shows how the file is written");
  }
  [[nodiscard]] bool at_end() const { return place_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[place_]; }
  char take() {
    if (at_end())
      refuse("on: the file ends here");
    return text_[place_++];
  }
  void expect(char wanted) {
    if (peek() != wanted)
      refuse(std::string("this: '") + wanted + "' belongs here");
    ++place_;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r')
      ++place_;
  }
  /// Blanks, comments and ends of lines.
  void skip_lines() {
    for (;;) {
      skip_blanks();
      if (peek() == '#')
        place_ = std::min(text_.find('\n', place_), text_.size());
      if (peek() != '\n')
        return;
      ++place_;
    }
  }

  std::string string() {
    const char quote = take();
    std::string value;
    for (;;) {
      const char c = take();
      if (c == quote)
        return value;
      if (c == '\n')
        refuse("a string over two lines");
      if (c == '\\' && quote == '"') {
        const char escaped = take();
        const auto found = std::string_view("\"\\tn").find(escaped);
        if (found == std::string_view::npos)
          refuse("the escape \\" + std::string(1, escaped));
        value += "\"\\\t\n"[found];
      } else {
        value += c;
      }
    }
  }

  KeyPath key() {
    KeyPath path;
    do {
      if (!path.empty())
        ++place_;
      skip_blanks();
      std::string part;
      if (peek() == '"' || peek() == '\'') {
        part = string();
      } else {
        while (is_bare(peek()))
          part += take();
        if (part.empty())
          refuse("a key");
      }
      path.push_back(std::move(part));
      if (path.size() > kMaxDepth)
        refuse("a key of so many parts");
      skip_blanks();
    } while (peek() == '.');
    return path;
  }

  /// The table at `path`; of an array of tables, its last.
  Json& descend(Json& from, const KeyPath& path, std::size_t count) {
    Json* table = &from;
    for (std::size_t i = 0; i < count; ++i) {
      Json& next = (*table)[path[i]];
      if (next.is_null())
        next = Json::object();
      table = next.is_array() && !next.empty() ? &next.back() : &next;
      if (!table->is_object())
        refuse("the table '" + path[i] + "': it is a value already");
    }
    return *table;
  }

  Json& header(Json& root) {
    expect('[');
    const bool is_array = peek() == '[';
    if (is_array)
      ++place_;
    const KeyPath path = key();
    expect(']');
    if (is_array)
      expect(']');
    if (!is_array)
      return descend(root, path, path.size());
    Json& list = descend(root, path, path.size() - 1)[path.back()];
    if (list.is_null())
      list = Json::array();
    if (!list.is_array())
      refuse("the array of tables '" + path.back() + "': it is a table already");
    return list.emplace_back(Json::object());
  }

  void assign(Json& table) {
    const KeyPath path = key();
    expect('=');
    skip_blanks();
    Json& place = descend(table, path, path.size() - 1)[path.back()];
    if (!place.is_null())
      refuse("'" + path.back() + "': it is given twice");
    place = value(0);
  }

  Json value(int depth) {
    if (depth > kMaxDepth)
      refuse("values nested so deep");
    switch (peek()) {
      case '"':
      case '\'':
        return string();
      case '[':
        return array(depth);
      case '{':
        return inline_table(depth);
      default:
        return word();
    }
  }

  Json array(int depth) {
    expect('[');
    Json list = Json::array();
    for (skip_lines(); peek() != ']'; skip_lines()) {
      list.push_back(value(depth + 1));
      skip_lines();
      if (peek() != ']')
        expect(',');
    }
    ++place_;
    return list;
  }

  Json inline_table(int depth) {
    expect('{');
    Json table = Json::object();
    for (skip_blanks(); peek() != '}'; skip_blanks()) {
      const KeyPath path = key();
      expect('=');
      skip_blanks();
      descend(table, path, path.size() - 1)[path.back()] = value(depth + 1);
      skip_blanks();
      if (peek() != '}')
        expect(',');
    }
    ++place_;
    return table;
  }

  Json word() {
    std::string text;
    while (is_bare(peek()) || peek() == '+')
      text += take();
    if (text == "true" || text == "false")
      return text == "true";
    const auto number = base::parse_unsigned(text);
    if (!number)
      refuse("the value '" + text + "'");
    return *number;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t place_ = 0;
};

}  // namespace

nlohmann::json parse_toml(std::string_view text, const std::string& name) {
  if (text.size() > kMaxText)
    throw base::Error(name + " is larger than 1 MiB");
  return Parser(text, name).parse();
}

}  // namespace trine::images
