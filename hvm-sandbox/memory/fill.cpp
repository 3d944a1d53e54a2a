#include "memory/fill.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace trine::hvm {
namespace {

/// All pages at once, where the host can (Linux 5.14): otherwise each is a fault of its own.
void populate(std::span<std::byte> place) noexcept {
  constexpr std::uintptr_t kPage = 4096;
  const std::uintptr_t in_page = reinterpret_cast<std::uintptr_t>(place.data()) % kPage;
  (void)::madvise(place.data() - in_page, place.size() + in_page, MADV_POPULATE_WRITE);
}

bool read_into(std::span<std::byte> out, int file, std::uint64_t offset) noexcept {
  populate(out);
  while (!out.empty()) {
    const ssize_t got = ::pread(file, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace

bool fill_from_file(const GuestSlice& place, int file, std::uint64_t offset) noexcept {
  struct stat status{};
  if (::fstat(file, &status) != 0 || status.st_size < 0)
    return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset > size || place.size() > size - offset)
    return false;
  const std::uint64_t end = offset + place.size();
  std::uint64_t at = offset;
  while (at < end) {
    // One that knows no holes says that all is data, or nothing at all.
    const off_t data = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      return true;  // from here on there is only a hole
    const off_t hole = data < 0 ? -1 : ::lseek(file, data, SEEK_HOLE);
    const std::uint64_t first = data < 0 ? at : static_cast<std::uint64_t>(data);
    const std::uint64_t last = hole < 0 ? end : std::min(end, static_cast<std::uint64_t>(hole));
    if (first >= end)
      return true;
    if (!read_into({place.data() + (first - offset), last - first}, file, first))
      return false;
    at = last;
  }
  return true;
}

}  // namespace trine::hvm
