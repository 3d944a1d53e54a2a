#include "document.h"

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::images;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto json = parse_document(text, "fuzz");
    const auto attempt = [&](auto parse) {
      try {
        (void)parse(json, "fuzz");
      } catch (const trine::base::Error&) {
      }
    };
    attempt(parse_index);
    attempt(parse_manifest);
    attempt(parse_configuration);
  } catch (const trine::base::Error&) {
  }
  return 0;
}
