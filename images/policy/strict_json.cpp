#include "strict_json.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 16;

/// Sees every key before the parser puts it over an equal one.
class KeyWatch {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kMaxDepth)
      fault_ = "is nested deeper than " + std::to_string(kMaxDepth);
    else if (event == Event::object_start)
      keys_.emplace_back();
    else if (event == Event::object_end)
      keys_.pop_back();
    else if (event == Event::key)
      add(parsed.get_ref<const std::string&>());
    return fault_.empty();
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void add(const std::string& key) {
    if (!keys_.back().insert(key).second)
      fault_ = "has the key " + json_step(key) + " twice in one object";
  }

  std::vector<std::set<std::string>> keys_;  ///< of the objects that are open
  std::string fault_;
};

[[noreturn]] void refuse_document(const std::string& name, const std::string& what) {
  throw base::Error(name + " " + what);
}

/// ": line 3", where the syntax is broken; nothing for what has no place, as a number that is too large.
std::string place_of_fault(std::string_view text) {
  try {
    const Json whole = Json::parse(text);
    return {};
  } catch (const Json::parse_error& error) {
    return ": line " + std::to_string(1 + std::ranges::count(text.substr(0, error.byte), '\n'));
  } catch (const Json::exception&) {
    return {};
  }
}

}  // namespace

std::string json_step(std::string_view key) {
  constexpr std::size_t kShown = 120;
  const bool plain = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (plain)
    return "." + std::string(key.substr(0, kShown));
  return "[" + Json(key.substr(0, kShown)).dump(-1, ' ', true, Json::error_handler_t::replace) + "]";
}

Json parse_strict_json(std::string_view text, const std::string& name, std::size_t limit) {
  if (text.size() > limit)
    refuse_document(name, "is larger than " + std::to_string(limit) + " bytes");
  KeyWatch watch;
  const auto callback = [&](int depth, Json::parse_event_t event, Json& parsed) {
    // Once it is refused, the rest is read without being kept.
    return watch.fault().empty() && watch(depth, event, parsed);
  };
  Json json = Json::parse(text, callback, false);
  if (!watch.fault().empty())
    refuse_document(name, watch.fault());
  if (json.is_discarded())
    refuse_document(name, "is no JSON" + place_of_fault(text));
  return json;
}

void JsonPlace::refuse(const std::string& what) const {
  throw base::Error(document_ + ": " + path_ + " " + what);
}

std::string JsonPlace::text() const {
  if (!value_->is_string())
    refuse("is no text");
  auto result = value_->get<std::string>();
  if (result.find('\0') != std::string::npos)
    refuse("has a NUL byte");
  return result;
}

std::uint64_t JsonPlace::number() const {
  if (!value_->is_number_unsigned())
    refuse("is no whole number");
  return value_->get<std::uint64_t>();
}

bool JsonPlace::boolean() const {
  if (!value_->is_boolean())
    refuse("is neither true nor false");
  return value_->get<bool>();
}

std::vector<JsonPlace> JsonPlace::items() const {
  if (!value_->is_array())
    refuse("is no list");
  std::vector<JsonPlace> result;
  result.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i)
    result.push_back({(*value_)[i], document_, path_ + "[" + std::to_string(i) + "]"});
  return result;
}

void JsonPlace::require_object() const {
  if (!value_->is_object())
    refuse("is no object");
}

std::vector<std::pair<std::string, JsonPlace>> JsonPlace::members() const {
  require_object();
  std::vector<std::pair<std::string, JsonPlace>> result;
  result.reserve(value_->size());
  for (const auto& [key, value] : value_->items())
    result.emplace_back(key, JsonPlace(value, document_, path_ + json_step(key)));
  return result;
}

std::optional<JsonPlace> JsonPlace::find(const char* key) const {
  require_object();
  const auto found = value_->find(key);
  if (found == value_->end())
    return std::nullopt;
  return JsonPlace(*found, document_, path_ + json_step(key));
}

JsonPlace JsonPlace::member(const char* key) const {
  const auto found = find(key);
  if (!found)
    refuse("has no " + std::string(key));
  return *found;
}

void JsonPlace::allow_only(std::initializer_list<std::string_view> keys) const {
  require_object();
  for (const auto& [key, value] : value_->items()) {
    if (std::ranges::find(keys, key) == keys.end())
      refuse("has the unknown key " + json_step(key));
  }
}

}  // namespace trine::images
