#pragma once

#include <string>
#include <string_view>

namespace trine::runtime::engine {

/// Looks for a sequence of keys in what is typed.
class DetachKeys {
 public:
  explicit DetachKeys(std::string keys) : keys_(std::move(keys)) {}

  /// What is to be passed on of `typed`. What may be the beginning of the sequence is kept back until it is
  /// not.
  std::string take(std::string_view typed);
  /// The whole sequence was typed.
  [[nodiscard]] bool are_typed() const { return !keys_.empty() && matched_ == keys_.size(); }

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

}  // namespace trine::runtime::engine
