#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// How plain data goes from the host to the agent and back: integers little-endian in their own size, lists
/// and texts behind a 32-bit count, an optional or a variant behind a byte. The receiver checks every length
/// against what there is, so that a hostile sender gets an error and no memory. See docs/guest-protocol.md.
namespace trine::hvm::wire {

/// For a structure: `static auto of(auto& value)` gives std::tie() of all its fields. Written with structured
/// bindings, it stops compiling when a field is added: none is forgotten.
template <class T>
struct Fields;

template <class T>
concept HasFields = requires(T& value) { Fields<std::remove_const_t<T>>::of(value); };

class Writer {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      put(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      static_assert(HasFields<const T>, "wire::Fields says what a structure consists of");
      std::apply([this](const auto&... field) { (put(field), ...); }, Fields<T>::of(value));
    }
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (const T& value : values)
      put(value);
  }
  template <class K, class V>
  void put(const std::map<K, V>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (const auto& [key, value] : values) {
      put(key);
      put(value);
    }
  }
  template <class A, class B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value)
      put(*value);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    put(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& held) { put(held); }, value);
  }

  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Once something is missing or impossible, failed() is true and what is read are empty values.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  void get(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      get(number);
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t number = 0;
      get(number);
      failed_ |= number > 1;
      value = number == 1;
    } else if constexpr (std::is_integral_v<T>) {
      (void)take(sizeof value).copy(reinterpret_cast<char*>(&value), sizeof value);
    } else {
      static_assert(HasFields<T>, "wire::Fields says what a structure consists of");
      std::apply([this](auto&... field) { (get(field), ...); }, Fields<T>::of(value));
    }
  }
  void get(std::string& text) { text = take(count()); }
  template <class T>
  void get(std::vector<T>& values) {
    values.clear();
    for (std::uint32_t left = count(); left > 0 && !failed_; --left)
      get(values.emplace_back());
  }
  template <class K, class V>
  void get(std::map<K, V>& values) {
    values.clear();
    for (std::uint32_t left = count(); left > 0 && !failed_; --left) {
      K key{};
      get(key);
      get(values[std::move(key)]);
    }
  }
  template <class A, class B>
  void get(std::pair<A, B>& value) {
    get(value.first);
    get(value.second);
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there)
      get(value.emplace());
  }
  template <class... T>
  void get(std::variant<T...>& value) {
    std::uint8_t index = 0;
    get(index);
    get_alternative(value, index, std::index_sequence_for<T...>{});
  }

  [[nodiscard]] bool failed() const { return failed_; }
  /// Nothing failed, and nothing is left.
  [[nodiscard]] bool finished() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (failed_ || size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  /// Every element takes a byte at least.
  std::uint32_t count() {
    std::uint32_t number = 0;
    get(number);
    failed_ |= number > bytes_.size();
    return failed_ ? 0 : number;
  }
  template <class Variant, std::size_t... I>
  void get_alternative(Variant& value, std::size_t index, std::index_sequence<I...>) {
    const bool known = ((index == I && (get(value.template emplace<I>()), true)) || ...);
    failed_ |= !known;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

template <class T>
std::string encode(const T& value) {
  Writer writer;
  writer.put(value);
  return std::move(writer).take();
}

/// Nothing unless `bytes` are a whole value and no more.
template <class T>
std::optional<T> decode(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  reader.get(value);
  if (!reader.finished())
    return std::nullopt;
  return value;
}

}  // namespace trine::hvm::wire
