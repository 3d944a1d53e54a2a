#include "boot/initramfs.h"

#include <sys/stat.h>

#include "base/error.h"
#include "memory/fill.h"

namespace trine::hvm {
namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t size_of(const base::UniqueFd& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0)
    base::throw_errno("cannot tell the size of the guest's initramfs");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

LoadedInitramfs load_initramfs(const std::vector<base::UniqueFd>& archives, const GuestMemory& memory,
                               std::uint64_t lowest, std::uint64_t end) {
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  for (const base::UniqueFd& archive : archives) {
    sizes.push_back(size_of(archive));
    total += (sizes.back() + 3) & ~3ULL;
    if (total > end)
      break;
  }
  if (total == 0)
    return {};
  const std::uint64_t address = total > end ? 0 : (end - total) & ~(kPage - 1);
  const auto place = memory.slice(address, total);
  if (address < lowest || !place) {
    throw base::Error("the guest's kernel and its initramfs of " + std::to_string(total >> 10U) +
                          " KiB do not fit into its memory",
                      0, "give it more: --memory");
  }
  std::size_t offset = 0;
  for (std::size_t i = 0; i < archives.size(); ++i) {
    if (sizes[i] > 0 && !fill_from_file(place->part(offset, sizes[i]), archives[i].get(), 0))
      throw base::Error("cannot read the guest's initramfs: it became shorter meanwhile, or its disk fails");
    offset += (sizes[i] + 3) & ~3ULL;
  }
  return {.address = address, .size = total};
}

}  // namespace trine::hvm
