#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "format.h"

namespace trine::images::erofs {
namespace {

constexpr std::size_t kDataBuffer = 1 << 20;
constexpr std::uint64_t kMaxRun = 64;  // blocks
constexpr std::uint64_t kMaxBlocks = kNullAddress;
constexpr std::uint64_t kMinHole = 64 << 10;

}  // namespace

Output::Output(int fd, std::string name) : fd_(fd), name_(std::move(name)), data_(kDataBuffer) {}

void Output::write_at(std::span<const char> bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      base::throw_errno("cannot write " + name_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

std::uint64_t Output::take(std::uint64_t count) {
  if (count > kMaxBlocks - end_)
    throw base::Error("cannot write " + name_ + ": it would be larger than 16 TiB");
  const std::uint64_t first = end_;
  end_ += count;
  return first;
}

void Output::flush_data() {
  write_at(std::span(data_).first(data_size_), data_offset_);
  data_offset_ += data_size_;
  data_size_ = 0;
}

std::uint32_t Output::begin_data(std::uint64_t count) {
  const std::uint64_t first = take(count);
  if (const std::uint64_t offset = first * kBlock; offset != data_offset_ + data_size_) {
    // Up to the end of its last block what a file does not fill is zero, in a buffer as in a hole.
    if (offset > data_offset_ + data_size_ && offset - data_offset_ - data_size_ < kBlock) {
      skip(offset - data_offset_ - data_size_);
    } else {
      flush_data();
      data_offset_ = offset;
    }
  }
  return static_cast<std::uint32_t>(first);
}

std::span<char> Output::room() {
  if (data_size_ == data_.size())
    flush_data();
  return std::span(data_).subspan(data_size_);
}

void Output::wrote(std::size_t size) {
  data_size_ += size;
}

void Output::skip(std::uint64_t size) {
  if (size >= kMinHole) {
    flush_data();
    data_offset_ += size;
    return;
  }
  while (size > 0) {
    const auto zeroes = room().first(std::min<std::uint64_t>(size, room().size()));
    std::ranges::fill(zeroes, '\0');
    wrote(zeroes.size());
    size -= zeroes.size();
  }
}

void Output::flush_inodes() {
  write_at(inodes_, inodes_offset_);
  inodes_.clear();
  inodes_used_ = 0;
}

/// Runs of inodes grow with the image, so that a small one is not mostly empty and a large one is read in few
/// places.
std::uint64_t Output::place(std::size_t size, std::span<const char> bytes) {
  std::size_t at = round_up(inodes_used_, kSlot);
  if (size <= kBlock && at % kBlock + size > kBlock)
    at = round_up(at, kBlock);
  if (at + size > inodes_.size()) {
    flush_inodes();
    const std::uint64_t count = std::max(run_, round_up(size, kBlock) / kBlock);
    inodes_offset_ = take(count) * kBlock;
    inodes_.assign(count * kBlock, '\0');
    run_ = std::min(run_ * 2, kMaxRun);
    at = 0;
  }
  std::ranges::copy(bytes, inodes_.begin() + static_cast<std::ptrdiff_t>(at));
  inodes_used_ = at + size;
  return inodes_offset_ + at;
}

void Output::patch(std::uint64_t offset, std::span<const char> bytes) {
  if (offset >= inodes_offset_ && offset - inodes_offset_ + bytes.size() <= inodes_.size()) {
    std::ranges::copy(bytes, inodes_.begin() + static_cast<std::ptrdiff_t>(offset - inodes_offset_));
  } else {
    write_at(bytes, offset);
  }
}

std::uint32_t Output::finish(std::span<const char> first_block) {
  flush_data();
  flush_inodes();
  write_at(first_block, 0);
  if (::ftruncate(fd_, static_cast<off_t>(end_ * kBlock)) != 0)
    base::throw_errno("cannot write " + name_);
  return blocks();
}

}  // namespace trine::images::erofs
