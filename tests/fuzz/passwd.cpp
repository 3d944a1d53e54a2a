#include "base/error.h"
#include "subordinate_ids.h"
#include "user_database.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::isolation;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto half = text.substr(0, size / 2);
  const auto rest = text.substr(size / 2);
  try {
    (void)resolve_user_text(half.substr(0, half.find('\n')), half, rest);
  } catch (const trine::base::Error&) {
  }
  (void)find_id_ranges(half, "web", 1000);
  return 0;
}
