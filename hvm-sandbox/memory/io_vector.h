#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <vector>

#include "memory/guest_memory.h"

namespace trine::hvm {

/// The first `length` bytes of what lies behind `skip` bytes of `slices`, for readv(2) and writev(2).
inline std::vector<iovec> io_vector_of(const std::vector<GuestSlice>& slices, std::size_t skip,
                                       std::size_t length) {
  std::vector<iovec> parts;
  parts.reserve(slices.size());
  for (const GuestSlice& slice : slices) {
    if (length == 0)
      break;
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const std::size_t take = std::min(slice.size() - skip, length);
    parts.push_back({.iov_base = slice.data() + skip, .iov_len = take});
    length -= take;
    skip = 0;
  }
  return parts;
}

}  // namespace trine::hvm
