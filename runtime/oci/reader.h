#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace trine::runtime::oci {

/// A JSON value and the path to it, which is put into words when something is wrong with the value and not
/// before: a configuration has a thousand values. Reading a field checks its type; one that is missing or
/// null leaves what it was to fill as it was.
class Reader {
 public:
  using Json = nlohmann::json;

  /// `file` outlives the reader and those made from it.
  Reader(const Json& value, const char* file) : value_(&value), file_(file) {}

  /// "config.json: linux.devices[2].major"
  [[nodiscard]] std::string path() const;
  [[noreturn]] void fail(const std::string& what, std::string hint = {}) const {
    throw base::Error(path() + " " + what, 0, std::move(hint));
  }

  [[nodiscard]] std::optional<Reader> field(const char* name) const {
    require(value_->is_object(), "an object");
    const auto found = value_->find(name);
    if (found == value_->end() || found->is_null())
      return std::nullopt;
    return below(*found, {.name = name});
  }

  [[nodiscard]] bool is_object() const { return value_->is_object(); }
  /// "", [], {}: a field that is there and says nothing.
  [[nodiscard]] bool is_empty() const {
    return value_->empty() || (value_->is_string() && value_->get_ref<const std::string&>().empty());
  }

  [[nodiscard]] std::string as_string() const {
    require(value_->is_string(), "a string");
    auto text = value_->get<std::string>();
    if (text.find('\0') != std::string::npos)
      fail("must not hold a NUL byte");
    return text;
  }
  [[nodiscard]] bool as_bool() const {
    require(value_->is_boolean(), "true or false");
    return value_->get<bool>();
  }
  template <typename Integer>
  [[nodiscard]] Integer as_integer() const {
    require(value_->is_number_integer(), "an integer");
    if (value_->is_number_unsigned()) {
      const auto number = value_->get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<Integer>::max()))
        out_of_range<Integer>();
      return static_cast<Integer>(number);
    }
    const auto number = value_->get<std::int64_t>();
    if (std::is_unsigned_v<Integer> ||
        number < static_cast<std::int64_t>(std::numeric_limits<Integer>::min())) {
      out_of_range<Integer>();
    }
    return static_cast<Integer>(number);
  }

  void read(std::string& into) const { into = as_string(); }
  void read(bool& into) const { into = as_bool(); }
  template <typename Integer>
    requires std::is_integral_v<Integer>
  void read(Integer& into) const {
    into = as_integer<Integer>();
  }
  template <typename T>
  void read(std::optional<T>& into) const {
    T value{};
    read(value);
    into = std::move(value);
  }
  template <typename T>
  void read(std::vector<T>& into) const {
    for_each([&](const Reader& item) {
      T value{};
      item.read(value);
      into.push_back(std::move(value));
    });
  }
  void read(std::map<std::string, std::string>& into) const {
    require(value_->is_object(), "an object");
    for (const auto& [key, value] : value_->items())
      into[key] = below(value, {.name = key.c_str(), .is_key = true}).as_string();
  }

  template <typename T>
  void read(const char* name, T& into) const {
    if (const auto found = field(name))
      found->read(into);
  }
  /// As read(), for an array of objects: `item` gives each its value.
  template <typename T, typename Item>
  void read_each(const char* name, std::vector<T>& into, Item item) const {
    const auto found = field(name);
    if (!found)
      return;
    found->for_each([&](const Reader& entry) { into.push_back(item(entry)); });
  }
  /// As read_each(), for an object whose keys are the user's.
  template <typename T, typename Item>
  void read_map(const char* name, std::map<std::string, T>& into, Item item) const {
    const auto found = field(name);
    if (!found)
      return;
    found->require(found->is_object(), "an object");
    for (const auto& [key, value] : found->value_->items())
      into[key] = item(found->below(value, {.name = key.c_str(), .is_key = true}));
  }
  template <typename T>
  T required(const char* name) const {
    const auto found = field(name);
    if (!found)
      throw base::Error(path() + (steps_ == 0 ? " '" : ": '") + name + "' is missing");
    T value{};
    found->read(value);
    return value;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    require(value_->is_array(), "an array");
    for (std::size_t i = 0; i < value_->size(); ++i) {
      visit(below((*value_)[i], {.index = i}));
    }
  }

 private:
  /// From a value to one in it: a field's name, a key of the user's, or an index.
  struct Step {
    const char* name = nullptr;
    std::size_t index = 0;
    bool is_key = false;
  };
  static constexpr std::size_t kMaxSteps = 12;  // deeper ones go unnamed

  [[nodiscard]] Reader below(const Json& value, const Step& step) const {
    Reader reader = *this;
    reader.value_ = &value;
    if (steps_ < kMaxSteps)
      reader.way_[reader.steps_++] = step;
    return reader;
  }
  void require(bool is, const char* what) const {
    if (!is)
      fail(std::string("must be ") + what + ", not " + value_->type_name());
  }
  template <typename Integer>
  [[noreturn]] void out_of_range() const {
    fail("must be between " + std::to_string(std::numeric_limits<Integer>::min()) + " and " +
         std::to_string(std::numeric_limits<Integer>::max()) + ", not " + value_->dump());
  }

  const Json* value_;
  const char* file_;
  std::array<Step, kMaxSteps> way_{};
  std::size_t steps_ = 0;
};

/// Parses a text of a stranger's: bounded in depth, invalid UTF-8 and broken syntax are an Error naming
/// `file`.
nlohmann::json parse_json(std::string_view text, std::string_view file);

}  // namespace trine::runtime::oci
