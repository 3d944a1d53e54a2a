#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace trine::base {

Error::Error(std::string message, int errno_value, std::string hint)
    : message_(std::move(message)), errno_value_(errno_value), hint_(std::move(hint)), what_(message_) {
  if (errno_value_ != 0)
    what_ += ": " + errno_text(errno_value_);
}

void throw_errno(std::string message, std::string hint) {
  const int saved = errno;
  throw Error(std::move(message), saved, std::move(hint));
}

std::string errno_text(int errno_value) {
  const char* text = strerrordesc_np(errno_value);
  return text != nullptr ? text : "errno " + std::to_string(errno_value);
}

}  // namespace trine::base
