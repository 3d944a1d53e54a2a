#include "base/time.h"

#include <array>

namespace trine::base {

std::string rfc3339(timespec time) {
  tm parts{};
  ::gmtime_r(&time.tv_sec, &parts);
  std::array<char, 40> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(time.tv_nsec);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::string(text.data(), length) + "." + fraction + "Z";
}

timespec now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

std::string now_utc() {
  return rfc3339(now());
}

}  // namespace trine::base
