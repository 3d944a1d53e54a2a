#include "devices/console/console_log.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace trine::hvm {

void ConsoleLog::append(std::string_view text) noexcept {
  if (copy_to_ >= 0)
    (void)!::write(copy_to_, text.data(), text.size());  // a log that is full or gone is no reason to stop
  if (text.size() > kKept)
    text.remove_prefix(text.size() - kKept);
  if (ring_.empty())
    ring_.reserve(kKept);
  const std::size_t appended = std::min(text.size(), kKept - ring_.size());
  ring_.append(text.substr(0, appended));
  for (const char character : text.substr(appended)) {
    ring_[next_] = character;
    next_ = (next_ + 1) % kKept;
  }
}

std::string ConsoleLog::ordered() const {
  return ring_.substr(next_) + ring_.substr(0, next_);
}

std::string ConsoleLog::tail(unsigned lines) const {
  std::string text;
  for (const char character : ordered()) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '\n' || (code >= 0x20 && code != 0x7f && code < 0x80))
      text += character;
    else if (character != '\r')
      text += '?';
  }
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::size_t begin = text.size();
  for (unsigned found = 0; found < lines && begin != 0 && begin != std::string::npos; ++found)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

bool ConsoleLog::contains(std::string_view text) const {
  return ordered().find(text) != std::string::npos;
}

}  // namespace trine::hvm
