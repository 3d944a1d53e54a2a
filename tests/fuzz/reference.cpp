#include "images/reference.h"

#include <cstdint>
#include <cstdlib>

#include "base/error.h"

/// What is taken as a name must lead back to itself, written out and in short.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::images;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)is_loopback(text);
  try {
    const Reference reference = parse_reference(text);
    if (parse_reference(reference.full()).full() != reference.full() ||
        parse_reference(reference.familiar()).full() != reference.full())
      std::abort();
  } catch (const trine::base::Error&) {
  }
  return 0;
}
