#include "memory/guest_memory.h"

#include <sys/mman.h>

#include "base/error.h"

namespace trine::hvm {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHugePage = 2 << 20;

std::string amount(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

/// Not reserved: the guest takes pages as it touches them.
std::byte* map_aligned(std::uint64_t size) {
  const std::string what = "cannot get " + amount(size) + " of memory for the guest";
  const std::uint64_t room = size + kHugePage;
  void* address = size > room ? MAP_FAILED
                              : ::mmap(nullptr, room, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    base::throw_errno(what, "give it less: --memory");
  // The processor maps a huge page only where guest and host agree on its bounds.
  auto* const begin = static_cast<std::byte*>(address);
  const std::uint64_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
  if (before > 0)
    ::munmap(begin, before);
  if (before < kHugePage)
    ::munmap(begin + before + size, kHugePage - before);
  return begin + before;
}

}  // namespace

GuestMemory::GuestMemory(std::vector<MemoryRange> ranges) : ranges_(std::move(ranges)) {
  for (const MemoryRange& range : ranges_)
    size_ = std::max(size_, range.offset + range.size);
  base_ = map_aligned(size_);
  (void)::madvise(base_, size_, MADV_NOHUGEPAGE);
  // A monitor that crashes must not write a guest's memory to the host's disk.
  (void)::madvise(base_, size_, MADV_DONTDUMP);
}

void GuestMemory::use_huge_pages() const noexcept {
  // With small pages a guest leaves for the host at its first touch of every 4 KiB, thousands of times until
  // its first process runs. A memfd would not get huge ones: hosts have them off for shared memory. Where
  // they are off for all, this asks in vain.
  (void)::madvise(base_, size_, MADV_HUGEPAGE);
}

void GuestMemory::merge_pages() const {
  if (::madvise(base_, size_, MADV_MERGEABLE) != 0)
    base::throw_errno("cannot have the guest's pages merged",
                      "the host's kernel has no KSM: leave out --vm-pages merged");
}

void GuestMemory::give_back(const GuestSlice& slice) const noexcept {
  const auto begin = static_cast<std::uint64_t>(slice.data() - base_);
  const std::uint64_t first = (begin + kPage - 1) / kPage * kPage;
  const std::uint64_t end = (begin + slice.size()) / kPage * kPage;
  if (end > first)
    (void)::madvise(base_ + first, end - first, MADV_DONTNEED);
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
    return GuestSlice({base_ + range.offset + offset, length});
  }
  return std::nullopt;
}

std::optional<GuestSlice> GuestMemory::readable_slice(std::uint64_t address,
                                                      std::uint64_t length) const noexcept {
  if (read_only_.empty() || address < read_only_.front().guest_address)
    return slice(address, length);
  for (const ReadOnlyRange& range : read_only_) {
    const std::uint64_t offset = address - range.guest_address;
    if (address < range.guest_address || offset >= range.size)
      continue;
    if (length == 0 || length > range.size - offset)
      return std::nullopt;
    return GuestSlice({range.data + offset, length});
  }
  return std::nullopt;
}

}  // namespace trine::hvm
