#include "reader.h"

#include <algorithm>

namespace trine::runtime::oci {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxSize = 16 << 20;

/// How deep brackets nest outside strings. To ask first is faster than to watch the parser.
int nesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\')
            ++i;
        }
        break;
      case '[':
      case '{':
        deepest = std::max(deepest, ++depth);
        break;
      case ']':
      case '}':
        --depth;
        break;
      default:
        break;
    }
  }
  return deepest;
}

}  // namespace

std::string Reader::path() const {
  std::string path = std::string(file_) + ":";
  for (std::size_t i = 0; i < steps_; ++i) {
    const Step& step = way_[i];
    if (step.name == nullptr) {
      path += "[" + std::to_string(step.index) + "]";
    } else if (step.is_key) {
      path += "[\"" + std::string(step.name) + "\"]";
    } else {
      path += (i == 0 ? " " : ".") + std::string(step.name);
    }
  }
  return path;
}

nlohmann::json parse_json(std::string_view text, std::string_view file) {
  if (text.size() > kMaxSize)
    throw base::Error("cannot read " + std::string(file) + ": it is larger than 16 MiB");
  if (nesting(text) > kMaxDepth)
    throw base::Error("cannot read " + std::string(file) + ": it is nested too deep");
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 7: …": the part before is for its
    // authors.
    const std::string_view what = error.what();
    const auto start = what.find("] ");
    throw base::Error("cannot read " + std::string(file) + ": " +
                      std::string(start == std::string_view::npos ? what : what.substr(start + 2)));
  }
}

}  // namespace trine::runtime::oci
