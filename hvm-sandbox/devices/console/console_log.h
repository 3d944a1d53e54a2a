#pragma once

#include <string>
#include <string_view>

namespace trine::hvm {

/// What a guest wrote to its consoles: the last of it is kept for messages, all of it may go to a descriptor.
/// However much a guest writes, this takes kKept bytes.
class ConsoleLog {
 public:
  static constexpr std::size_t kKept = 16384;

  /// `copy_to`: a descriptor that gets everything, or -1. What it does not take at once is lost.
  explicit ConsoleLog(int copy_to = -1) : copy_to_(copy_to) {}

  void append(std::string_view text) noexcept;
  /// The last lines, without control characters that would act on the user's terminal.
  [[nodiscard]] std::string tail(unsigned lines) const;
  /// Whether a line among what is kept has `text`.
  [[nodiscard]] bool contains(std::string_view text) const;

 private:
  [[nodiscard]] std::string ordered() const;

  int copy_to_;
  std::string ring_;
  std::size_t next_ = 0;
};

}  // namespace trine::hvm
