#include "reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "checksum.h"

namespace trine::images::erofs {
namespace {

constexpr std::size_t kWindow = 64 << 10;
constexpr std::uint32_t kUnderstood = superblock::kChunkedFiles;

FileType type_of(std::uint16_t mode) {
  switch (mode & 0170000) {
    case 0100000:
      return FileType::kRegular;
    case 0040000:
      return FileType::kDirectory;
    case 0020000:
      return FileType::kCharacter;
    case 0060000:
      return FileType::kBlockDevice;
    case 0010000:
      return FileType::kFifo;
    case 0140000:
      return FileType::kSocket;
    case 0120000:
      return FileType::kSymlink;
    default:
      return FileType::kUnknown;
  }
}

}  // namespace

void Reader::fail(const std::string& what) const {
  throw base::Error("the EROFS image " + name_ + " is damaged: " + what);
}

Reader::Reader(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  namespace sb = superblock;
  struct stat status{};
  if (::fstat(fd_, &status) != 0)
    base::throw_errno("cannot look at " + name_);
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::array<char, kBlock> block{};
  read_at(0, block);
  const auto field = std::span(block).subspan(sb::kOffset);
  if (get<std::uint32_t>(field, 0) != sb::kMagic)
    fail("it has no superblock");
  const auto stored = get<std::uint32_t>(field, sb::kChecksum);
  put(field, sb::kChecksum, std::uint32_t{0});
  if ((get<std::uint32_t>(field, sb::kCompatible) & sb::kHasChecksum) != 0 && checksum(field) != stored)
    fail("the superblock's checksum is wrong");
  if (get<std::uint8_t>(field, sb::kBlockSizeBits) != kBlockBits)
    fail("its blocks are not of 4096 bytes");
  if ((get<std::uint32_t>(field, sb::kIncompatible) & ~kUnderstood) != 0)
    fail("it is compressed, or has other features that trine does not read");
  const std::uint64_t blocks = get<std::uint32_t>(field, sb::kBlocks);
  if (blocks * kBlock > size_)
    fail("it is truncated");
  size_ = blocks * kBlock;
  meta_ = std::uint64_t{get<std::uint32_t>(field, sb::kMetaBlock)} * kBlock;
  shared_ = std::uint64_t{get<std::uint32_t>(field, sb::kXattrBlock)} * kBlock;
  root_ = get<std::uint16_t>(field, sb::kRootNid);
  inodes_ = get<std::uint64_t>(field, sb::kInodes);
  build_time_.tv_sec = static_cast<time_t>(get<std::uint64_t>(field, sb::kBuildTime));
  build_time_.tv_nsec = get<std::uint32_t>(field, sb::kBuildNanoseconds);
}

void Reader::read_at(std::uint64_t offset, std::span<char> into) const {
  if (offset > size_ || into.size() > size_ - offset)
    fail("something lies outside of it, at byte " + std::to_string(offset));
  const auto load = [&](std::uint64_t from, std::span<char> buffer) {
    while (!buffer.empty()) {
      const ssize_t got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(from));
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        base::throw_errno("cannot read " + name_);
      if (got == 0)
        fail("it is truncated");
      buffer = buffer.subspan(static_cast<std::size_t>(got));
      from += static_cast<std::uint64_t>(got);
    }
  };
  if (into.size() > kBlock)
    return load(offset, into);
  if (offset < window_offset_ || offset + into.size() > window_offset_ + window_.size()) {
    window_offset_ = offset / kBlock * kBlock;
    window_.resize(std::min<std::uint64_t>(kWindow, size_ - window_offset_));
    load(window_offset_, window_);
  }
  const auto begin = window_.begin() + static_cast<std::ptrdiff_t>(offset - window_offset_);
  std::copy(begin, begin + static_cast<std::ptrdiff_t>(into.size()), into.begin());
}

Reader::Inode Reader::inode(std::uint64_t nid) const {
  if (nid > (size_ >> kSlotBits))
    fail("there is no inode " + std::to_string(nid));
  const std::uint64_t offset = meta_ + (nid << kSlotBits);
  std::array<char, inode::kExtendedSize> bytes{};
  read_at(offset, std::span(bytes).first(inode::kCompactSize));
  const auto format = get<std::uint16_t>(bytes, inode::kFormat);
  const bool extended = (format & 1) != 0;
  if (extended)
    read_at(offset, bytes);
  Inode found{.nid = nid, .layout = static_cast<Layout>((format >> 1) & 7), .mtime = build_time_};
  if (found.layout != Layout::kPlain && found.layout != Layout::kInline && found.layout != Layout::kChunks)
    fail("inode " + std::to_string(nid) + " has a layout that trine does not read");
  found.mode = get<std::uint16_t>(bytes, inode::kMode);
  found.type = type_of(found.mode);
  if (found.type == FileType::kUnknown)
    fail("inode " + std::to_string(nid) + " is of no type");
  found.detail = get<std::uint32_t>(bytes, inode::kUnion);
  if (extended) {
    found.size = get<std::uint64_t>(bytes, inode::kSize);
    found.uid = get<std::uint32_t>(bytes, inode::kUid);
    found.gid = get<std::uint32_t>(bytes, inode::kGid);
    found.links = get<std::uint32_t>(bytes, inode::kLinks);
    found.mtime = {.tv_sec = static_cast<time_t>(get<std::uint64_t>(bytes, inode::kTime)),
                   .tv_nsec = get<std::uint32_t>(bytes, inode::kNanoseconds)};
  } else {
    found.size = get<std::uint32_t>(bytes, inode::kSize);
    found.uid = get<std::uint16_t>(bytes, inode::kCompactUid);
    found.gid = get<std::uint16_t>(bytes, inode::kCompactGid);
    found.links = get<std::uint16_t>(bytes, inode::kCompactLinks);
  }
  if (found.size > static_cast<std::uint64_t>(INT64_MAX))
    fail("inode " + std::to_string(nid) + " has a size that is none");
  found.xattrs_offset = offset + (extended ? inode::kExtendedSize : inode::kCompactSize);
  if (const std::uint32_t count = get<std::uint16_t>(bytes, inode::kXattrCount); count > 0)
    found.xattrs_size = static_cast<std::uint32_t>(kXattrHeader) + (count - 1) * 4;
  return found;
}

Reader::Piece Reader::locate(const Inode& inode, std::uint64_t offset) const {
  const std::uint64_t behind = inode.xattrs_offset + inode.xattrs_size;
  const std::uint64_t first = std::uint64_t{inode.detail} * kBlock;
  if (inode.layout == Layout::kPlain)
    return {.at = first + offset, .size = inode.size - offset};
  if (inode.layout == Layout::kInline) {
    const std::uint64_t in_blocks = inode.size / kBlock * kBlock;
    if (offset < in_blocks)
      return {.at = first + offset, .size = in_blocks - offset};
    if (behind % kBlock + inode.size % kBlock > kBlock)
      fail("the inline data of inode " + std::to_string(inode.nid) + " cross a block");
    return {.at = behind + offset - in_blocks, .size = inode.size - offset};
  }
  if ((inode.detail & ~(kChunkBits | kChunkIndexes)) != 0)
    fail("inode " + std::to_string(inode.nid) + " has a chunk map of an unknown form");
  const bool wide = (inode.detail & kChunkIndexes) != 0;
  const std::uint64_t unit = wide ? 8 : 4;
  const std::uint64_t chunk = std::uint64_t{kBlock} << (inode.detail & kChunkBits);
  const std::uint64_t index = offset / chunk;
  std::array<char, 8> entry{};
  read_at(round_up(behind, unit) + index * unit, std::span(entry).first(unit));
  const auto block = get<std::uint32_t>(entry, wide ? 4 : 0);
  const std::uint64_t within = offset - index * chunk;
  Piece piece{.size = std::min(chunk - within, inode.size - offset)};
  if (block != kNullAddress)
    piece.at = std::uint64_t{block} * kBlock + within;
  return piece;
}

std::size_t Reader::read(const Inode& inode, std::uint64_t offset, std::span<char> into) const {
  if (inode.type != FileType::kRegular && inode.type != FileType::kDirectory &&
      inode.type != FileType::kSymlink)
    return 0;
  std::size_t done = 0;
  while (done < into.size() && offset < inode.size) {
    const Piece piece = locate(inode, offset);
    const auto part = into.subspan(done, std::min<std::uint64_t>(piece.size, into.size() - done));
    if (piece.at) {
      read_at(*piece.at, part);
    } else {
      std::ranges::fill(part, '\0');
    }
    done += part.size();
    offset += part.size();
  }
  return done;
}

std::string Reader::target(const Inode& symlink) const {
  if (symlink.type != FileType::kSymlink || symlink.size == 0 || symlink.size > kBlock)
    fail("inode " + std::to_string(symlink.nid) + " is no symlink");
  std::string text(symlink.size, '\0');
  read(symlink, 0, text);
  return text;
}

std::pair<std::uint32_t, std::uint32_t> Reader::device(const Inode& inode) {
  return {(inode.detail >> 8) & 0xfff, (inode.detail & 0xff) | ((inode.detail >> 12) & 0xfff00)};
}

void Reader::add_xattr(std::uint64_t& offset, std::uint64_t end, Xattrs& into) const {
  std::array<char, kXattrEntry> head{};
  read_at(offset, head);
  const auto length = get<std::uint8_t>(head, 0);
  const auto index = get<std::uint8_t>(head, 1);
  const auto size = get<std::uint16_t>(head, 2);
  const auto prefix = std::ranges::find(kXattrPrefixes, index, &XattrPrefix::index);
  if (prefix == std::end(kXattrPrefixes) || offset + kXattrEntry + length + size > end)
    fail("an attribute at byte " + std::to_string(offset) + " is malformed");
  std::string name(length, '\0');
  std::string value(size, '\0');
  read_at(offset + kXattrEntry, name);
  read_at(offset + kXattrEntry + length, value);
  into.emplace_back(std::string(prefix->text) + name, std::move(value));
  offset += round_up(kXattrEntry + length + size, 4);
}

Reader::Xattrs Reader::xattrs(const Inode& inode) const {
  Xattrs found;
  if (inode.xattrs_size == 0)
    return found;
  std::array<char, kXattrHeader> header{};
  read_at(inode.xattrs_offset, header);
  const std::uint64_t end = inode.xattrs_offset + inode.xattrs_size;
  std::uint64_t offset = inode.xattrs_offset + kXattrHeader;
  const auto shared = get<std::uint8_t>(header, 4);
  if (offset + std::uint64_t{4} * shared > end)
    fail("the attributes of inode " + std::to_string(inode.nid) + " are malformed");
  for (unsigned i = 0; i < shared; ++i, offset += 4) {
    std::array<char, 4> reference{};
    read_at(offset, reference);
    std::uint64_t at = shared_ + std::uint64_t{get<std::uint32_t>(reference, 0)} * 4;
    add_xattr(at, size_, found);
  }
  while (offset + kXattrEntry <= end)
    add_xattr(offset, end, found);
  return found;
}

}  // namespace trine::images::erofs
