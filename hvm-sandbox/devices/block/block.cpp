#include "devices/block/block.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §5.2.3, §5.2.4, §5.2.6.
constexpr std::uint64_t kFeatureSegmentMost = 1U << 2U;
constexpr std::uint64_t kFeatureReadOnly = 1U << 5U;
constexpr std::uint64_t kFeatureFlush = 1U << 9U;
constexpr std::uint32_t kSegmentsMost = 126;  ///< of a request, beside its header and status
constexpr std::size_t kSegmentsMostOffset = 12;

enum RequestType : std::uint32_t { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8 };
enum Status : std::uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 };

struct RequestHeader {
  std::uint32_t type;
  std::uint32_t reserved;
  std::uint64_t sector;
};

constexpr std::size_t kIdentityBytes = 20;

/// preadv or pwritev until all of `parts` is done. A short read is the end of a file that shrank.
template <class Call>
bool transfer(Call call, std::vector<iovec> parts, off_t offset) {
  std::size_t first = 0;
  while (first < parts.size()) {
    const auto count = static_cast<int>(std::min<std::size_t>(parts.size() - first, 64));
    const ssize_t done = call(parts.data() + first, count, offset);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    offset += done;
    for (auto left = static_cast<std::size_t>(done); left > 0;) {
      iovec& part = parts[first];
      const std::size_t taken = std::min(left, part.iov_len);
      part.iov_base = static_cast<std::byte*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
      if (part.iov_len == 0)
        ++first;
    }
  }
  return true;
}

/// The first `length` bytes of what lies behind `skip` bytes of `slices`.
std::vector<iovec> vector_of(const std::vector<GuestSlice>& slices, std::size_t skip, std::size_t length) {
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

}  // namespace

Block::Block(base::UniqueFd file, bool read_only, std::string identity)
    : file_(std::move(file)), read_only_(read_only), identity_(std::move(identity)) {
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0)
    base::throw_errno("cannot tell the size of disk " + identity_);
  sectors_ = static_cast<std::uint64_t>(end) / kSectorBytes;
  std::memcpy(config_.data(), &sectors_, sizeof sectors_);
  std::memcpy(config_.data() + kSegmentsMostOffset, &kSegmentsMost, sizeof kSegmentsMost);
}

std::uint64_t Block::features() const noexcept {
  return kFeatureSegmentMost | kFeatureFlush | (read_only_ ? kFeatureReadOnly : 0);
}

void Block::notify(unsigned index) noexcept {
  serve_all(index, [this](const Chain& request) { return serve(request); });
}

bool Block::is_inside(std::uint64_t sector, std::size_t length) const noexcept {
  return length % kSectorBytes == 0 && sector <= sectors_ && length / kSectorBytes <= sectors_ - sector;
}

std::uint8_t Block::read(const Chain& request, std::uint64_t sector, std::size_t length) noexcept {
  if (!is_inside(sector, length))
    return kIoError;
  const auto call = [&](const iovec* parts, int count, off_t offset) {
    return ::preadv(file_.get(), parts, count, offset);
  };
  return transfer(call, vector_of(request.writable, 0, length), static_cast<off_t>(sector * kSectorBytes))
             ? kOk
             : kIoError;
}

std::uint8_t Block::write(const Chain& request, std::uint64_t sector) noexcept {
  const std::size_t length = request.readable_bytes - sizeof(RequestHeader);
  if (read_only_ || !is_inside(sector, length))
    return kIoError;
  const auto call = [&](const iovec* parts, int count, off_t offset) {
    return ::pwritev(file_.get(), parts, count, offset);
  };
  return transfer(call, vector_of(request.readable, sizeof(RequestHeader), length),
                  static_cast<off_t>(sector * kSectorBytes))
             ? kOk
             : kIoError;
}

std::expected<std::uint32_t, QueueError> Block::serve(const Chain& request) noexcept {
  RequestHeader header{};
  if (request.read(0, std::as_writable_bytes(std::span(&header, 1))) != sizeof header ||
      request.writable_bytes == 0)
    return std::unexpected(QueueError::kRequest);
  // The last byte to write is the status; what stands before it is for data.
  const std::size_t room = request.writable_bytes - 1;
  std::size_t filled = 0;
  std::uint8_t status = kUnsupported;
  switch (header.type) {
    case kIn:
      status = read(request, header.sector, room);
      filled = status == kOk ? room : 0;
      break;
    case kOut:
      status = write(request, header.sector);
      break;
    case kFlush:
      status = read_only_ || ::fdatasync(file_.get()) == 0 ? kOk : kIoError;
      break;
    case kGetId: {
      std::array<std::byte, kIdentityBytes> identity{};
      std::memcpy(identity.data(), identity_.data(), std::min(identity_.size(), identity.size()));
      filled = request.write(0, std::span(identity).first(std::min(room, identity.size())));
      status = kOk;
      break;
    }
    default:
      break;
  }
  request.write(room, std::as_bytes(std::span(&status, 1)));
  return static_cast<std::uint32_t>(filled + 1);
}

}  // namespace trine::hvm
