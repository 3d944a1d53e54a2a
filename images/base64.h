#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trine::images {

/// RFC 4648 §4. Decoding gives nothing for what is no base64; it does without the padding.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace trine::images
