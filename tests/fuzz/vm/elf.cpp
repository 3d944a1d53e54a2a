#include "boot/elf.h"

#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trine::hvm::GuestMemory memory({{.guest_address = 0, .size = 4 << 20, .offset = 0}});
  static const int file = ::memfd_create("kernel", MFD_CLOEXEC);
  (void)!::ftruncate(file, 0);
  (void)!::pwrite(file, data, size, 0);
  (void)trine::hvm::load_elf(file, memory, 1 << 20);
  return 0;
}
