#pragma once

#include <ctime>
#include <string>

namespace trine::base {

/// "2026-11-21T08:46:09.123456789Z": always UTC and nine digits, so that later is greater as text too.
std::string rfc3339(timespec time);

/// By the system's clock, which may be set.
timespec now();
std::string now_utc();  ///< rfc3339(now())

}  // namespace trine::base
