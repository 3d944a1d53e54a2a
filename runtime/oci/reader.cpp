#include "reader.h"

namespace trine::runtime::oci {

nlohmann::json parse_json(std::string_view text, std::string_view file) {
  constexpr int kMaxDepth = 64;
  constexpr std::size_t kMaxSize = 16 << 20;
  if (text.size() > kMaxSize)
    throw base::Error("cannot read " + std::string(file) + ": it is larger than 16 MiB");
  bool too_deep = false;
  const auto limit_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text, limit_depth);
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 7: …": the part before is for its
    // authors.
    const std::string_view what = error.what();
    const auto start = what.find("] ");
    throw base::Error("cannot read " + std::string(file) + ": " +
                      std::string(start == std::string_view::npos ? what : what.substr(start + 2)));
  }
  if (too_deep)
    throw base::Error("cannot read " + std::string(file) + ": it is nested too deep");
  return value;
}

}  // namespace trine::runtime::oci
