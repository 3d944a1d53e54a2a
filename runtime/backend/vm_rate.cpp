#include "runtime/backend/vm_rate.h"

#include <cstdint>

#include "base/error.h"
#include "base/text.h"
#include "hvm-sandbox/rates.h"

namespace trine::runtime::backend {

Rate parse_rate(const std::string& text, const std::string& count_key) {
  const std::string form = "as in bytes=10m," + count_key + "=5000, or one of the two";
  Rate rate;
  for (const std::string& part : base::split(text, ',')) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    const bool is_bytes = key == "bytes";
    if (!is_bytes && key != count_key)
      throw base::Error("there is no '" + key + "' in it", 0, form);
    const std::uint64_t least = is_bytes ? hvm::kLeastRateBytes : hvm::kLeastRateCount;
    const std::uint64_t most = is_bytes ? hvm::kMostRateBytes : hvm::kMostRateCount;
    const auto number = is_bytes ? base::parse_fractional_size(value) : base::parse_unsigned(value);
    if (!number || *number < least || *number > most)
      throw base::Error(
          key + " is not between " + std::to_string(least) + " and " + std::to_string(most) + " a second", 0,
          form);
    (is_bytes ? rate.bytes : rate.count) = *number;
  }
  return rate;
}

}  // namespace trine::runtime::backend
