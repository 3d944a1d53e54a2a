#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <vector>

#include "memory/guest_memory.h"

namespace trine::hvm {

/// Appends the first `length` bytes of what lies behind `skip` bytes of `slices`, for readv(2) and writev(2).
/// Pages of a guest that follow one another are one part: the host copies in one go.
inline void append_io_vector(const std::vector<GuestSlice>& slices, std::size_t skip, std::size_t length,
                             std::vector<iovec>& parts) {
  for (const GuestSlice& slice : slices) {
    if (length == 0)
      break;
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    std::byte* const begin = slice.data() + skip;
    const std::size_t take = std::min(slice.size() - skip, length);
    if (!parts.empty() && static_cast<std::byte*>(parts.back().iov_base) + parts.back().iov_len == begin)
      parts.back().iov_len += take;
    else
      parts.push_back({.iov_base = begin, .iov_len = take});
    length -= take;
    skip = 0;
  }
}

/// The same alone.
inline std::vector<iovec> io_vector_of(const std::vector<GuestSlice>& slices, std::size_t skip,
                                       std::size_t length) {
  std::vector<iovec> parts;
  parts.reserve(slices.size());
  append_io_vector(slices, skip, length, parts);
  return parts;
}

}  // namespace trine::hvm
