#pragma once

#include <string>

#include "runtime/backend/vm.h"

namespace trine::runtime::backend {

/// "bytes=10m,packets=5000", or one of the two: `count_key` is the one that is no bytes. Throws base::Error,
/// which says what is wrong with the text and has the form as its hint.
Rate parse_rate(const std::string& text, const std::string& count_key);

}  // namespace trine::runtime::backend
