#include "base/error.h"
#include "runtime/oci/spec.h"

/// What a caller hands to a running container: exec's process.json, update's resources, a list of mounts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::runtime::oci;
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 0)
      validate(parse_process(text));
    else if (data[0] % 3 == 1)
      parse_resources(text);
    else
      parse_mounts(text);
  } catch (const trine::base::Error&) {
  }
  return 0;
}
