#include "boot/bzimage.h"
#include "boot/decompress.h"
#include "kernel/modules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 1 << 20;
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)trine::hvm::decompress(bytes, kMost / 16);
  // An image may ask for as much as a kernel may have; the fuzzer's memory is smaller.
  if (size > 4) {
    std::uint32_t wanted = 0;
    __builtin_memcpy(&wanted, data + size - 4, sizeof wanted);
    if (wanted < kMost)
      (void)trine::hvm::unpack_kernel(bytes);
  }
  (void)trine::hvm::module_dependencies({reinterpret_cast<const char*>(data), size});
  return 0;
}
