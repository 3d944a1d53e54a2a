#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// JSON on which a decision about trust stands: nothing in it may be read in two ways, and nothing is passed
/// over.
namespace trine::images {

/// At most `limit` bytes, nested 16 deep, no key twice in one object. Throws Error naming `name` and the
/// place.
nlohmann::json parse_strict_json(std::string_view text, const std::string& name, std::size_t limit);

/// "quay.io/web" -> `["quay.io/web"]`, "type" -> ".type"; for a terminal.
std::string json_step(std::string_view key);

/// A value with the place where it stands, so that what is wrong with it can be said. The document must
/// outlive it. Whatever is not as it is asked for throws Error: "FILE: $.default[0].type is no text".
class JsonPlace {
 public:
  JsonPlace(const nlohmann::json& value, std::string document) : JsonPlace(value, std::move(document), "$") {}

  [[noreturn]] void refuse(const std::string& what) const;
  [[nodiscard]] const std::string& document() const { return document_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_null() const { return value_->is_null(); }
  [[nodiscard]] bool is_list() const { return value_->is_array(); }

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t number() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::vector<JsonPlace> items() const;
  [[nodiscard]] std::vector<std::pair<std::string, JsonPlace>> members() const;
  [[nodiscard]] std::optional<JsonPlace> find(const char* key) const;
  [[nodiscard]] JsonPlace member(const char* key) const;
  /// Refuses an object that has other members.
  void allow_only(std::initializer_list<std::string_view> keys) const;

 private:
  JsonPlace(const nlohmann::json& value, std::string document, std::string path)
      : value_(&value), document_(std::move(document)), path_(std::move(path)) {}
  void require_object() const;

  const nlohmann::json* value_;
  std::string document_;
  std::string path_;
};

}  // namespace trine::images
