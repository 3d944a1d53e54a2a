#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace trine::base {

/// A failure that reaches the user: what failed on which object, why, and where there is one, the cure.
///
/// `message` is a sentence without a full stop ("cannot mount tmpfs on /run"); the text of `errno_value` is
/// appended to it when it is not 0. `hint` is printed on a line of its own.
class Error : public std::exception {
 public:
  explicit Error(std::string message, int errno_value = 0, std::string hint = {});

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] int errno_value() const { return errno_value_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  std::string message_;
  int errno_value_;
  std::string hint_;
  std::string what_;
};

/// Throws Error{message, errno}.
[[noreturn]] void throw_errno(std::string message, std::string hint = {});

/// "Operation not permitted" for EPERM; reentrant.
std::string errno_text(int errno_value);

}  // namespace trine::base
