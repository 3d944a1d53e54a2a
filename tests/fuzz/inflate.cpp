#include <vector>

#include "base/error.h"
#include "source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzSource source(data, size);
  std::vector<char> buffer(65536);
  std::size_t total = 0;
  try {
    const auto plain = trine::images::decompress(source, "fuzz");
    while (const std::size_t got = plain->read(buffer)) {
      total += got;
      if (total > 64 << 20)
        break;
    }
  } catch (const trine::base::Error&) {
  }
  return 0;
}
