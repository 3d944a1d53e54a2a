#include "virtio/windows.h"

#include <sys/mman.h>

#include "base/error.h"
#include "virtio/mmio.h"

namespace trine::hvm {

RegisterWindows::RegisterWindows(unsigned most) {
  if (most == 0)
    return;
  const std::size_t bytes = most * MmioTransport::kWindow;
  void* const pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    base::throw_errno("cannot get memory for the devices' registers");
  // One huge page would be far more than is used.
  (void)::madvise(pages, bytes, MADV_NOHUGEPAGE);
  pages_ = {static_cast<std::byte*>(pages), bytes};
}

RegisterWindows::~RegisterWindows() {
  if (!pages_.empty())
    ::munmap(pages_.data(), pages_.size());
}

std::span<std::byte> RegisterWindows::of(unsigned device) const noexcept {
  const std::size_t begin = device * MmioTransport::kWindow;
  return begin < pages_.size() ? pages_.subspan(begin, MmioTransport::kWindow) : std::span<std::byte>{};
}

std::span<std::byte> RegisterWindows::first(unsigned count) const noexcept {
  return pages_.first(std::min<std::size_t>(count * MmioTransport::kWindow, pages_.size()));
}

}  // namespace trine::hvm
