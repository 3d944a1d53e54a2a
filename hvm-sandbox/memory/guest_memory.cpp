#include "memory/guest_memory.h"

#include <sys/mman.h>

#include "base/error.h"

namespace trine::hvm {
namespace {

std::string amount(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

}  // namespace

GuestMemory::GuestMemory(std::vector<MemoryRange> ranges) : ranges_(std::move(ranges)) {
  for (const MemoryRange& range : ranges_)
    size_ = std::max(size_, range.file_offset + range.size);
  const std::string what = "cannot get " + amount(size_) + " of memory for the guest";
  file_ = base::UniqueFd(::memfd_create("guest", MFD_CLOEXEC));
  if (!file_)
    base::throw_errno(what);
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0)
    base::throw_errno(what);
  // Shared, so that what shares the file (a device's process, a snapshot) sees what the guest writes. Not
  // reserved: the guest takes pages as it touches them.
  void* address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_.get(), 0);
  if (address == MAP_FAILED)
    base::throw_errno(what, "give it less: --memory");
  base_ = static_cast<std::byte*>(address);
  // A monitor that crashes must not write a guest's memory to the host's disk.
  (void)::madvise(address, size_, MADV_DONTDUMP);
}

GuestMemory::~GuestMemory() {
  if (base_ != nullptr)
    ::munmap(base_, size_);
}

std::optional<GuestSlice> GuestMemory::slice(std::uint64_t address, std::uint64_t length) const noexcept {
  if (length == 0)
    return std::nullopt;
  for (const MemoryRange& range : ranges_) {
    if (address < range.guest_address)
      break;
    const std::uint64_t offset = address - range.guest_address;
    if (offset >= range.size)
      continue;
    if (length > range.size - offset)
      return std::nullopt;
    return GuestSlice({base_ + range.file_offset + offset, length});
  }
  return std::nullopt;
}

}  // namespace trine::hvm
