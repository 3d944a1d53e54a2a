#include "tar.h"

#include <array>

#include "base/error.h"
#include "source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzSource source(data, size);
  trine::images::TarReader reader(source, "fuzz");
  std::array<char, 4096> buffer{};
  try {
    while (reader.next()) {
      while (reader.read_data(buffer) > 0) {
      }
    }
  } catch (const trine::base::Error&) {
  }
  return 0;
}
