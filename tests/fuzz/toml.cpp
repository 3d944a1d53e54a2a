#include "reference/toml.h"

#include <cstdint>

#include "base/error.h"
#include "reference/registries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::images;
  try {
    Registries registries;
    registries.add({reinterpret_cast<const char*>(data), size}, "fuzz");
    for (const auto& reference : registries.candidates(parse_reference("fedora")))
      (void)registries.sources(reference);
  } catch (const trine::base::Error&) {
  }
  return 0;
}
