#include "runtime/oci/spec.h"

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::runtime::oci;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    validate(parse_spec(text));
  } catch (const trine::base::Error&) {
  }
  return 0;
}
