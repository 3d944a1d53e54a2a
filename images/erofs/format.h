#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

/// The parts of the on-disk format that trine writes: uncompressed, 4 KiB blocks, everything little-endian.
/// Source: Linux Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h (the format is stable
/// since 5.4).
namespace trine::images::erofs {

constexpr std::uint32_t kBlockBits = 12;
constexpr std::uint32_t kBlock = 1U << kBlockBits;
constexpr std::uint32_t kSlotBits = 5;  ///< inodes begin at multiples of 32 bytes; a nid counts those
constexpr std::uint32_t kSlot = 1U << kSlotBits;
constexpr std::uint32_t kNullAddress = 0xffffffff;  ///< a hole, in a chunk map

namespace superblock {
constexpr std::uint32_t kMagic = 0xe0f5e1e2;
constexpr std::size_t kOffset = 1024;
constexpr std::size_t kSize = 128;
// Offsets of the fields in it.
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kCompatible = 8;
constexpr std::size_t kBlockSizeBits = 12;
constexpr std::size_t kRootNid = 14;
constexpr std::size_t kInodes = 16;
constexpr std::size_t kBuildTime = 24;
constexpr std::size_t kBuildNanoseconds = 32;
constexpr std::size_t kBlocks = 36;
constexpr std::size_t kMetaBlock = 40;
constexpr std::size_t kXattrBlock = 44;
constexpr std::size_t kUuid = 48;
constexpr std::size_t kIncompatible = 80;
constexpr std::size_t kExtraDevices = 86;
constexpr std::size_t kDeviceSlot = 88;

constexpr std::uint32_t kHasChecksum = 0x1;   ///< compatible: CRC-32C of block 0 from the superblock on
constexpr std::uint32_t kHasMtime = 0x2;      ///< compatible: an inode's time is its mtime
constexpr std::uint32_t kChunkedFiles = 0x4;  ///< incompatible: Linux 5.15
constexpr std::uint32_t kDeviceTable = 0x8;   ///< incompatible: Linux 5.16
}  // namespace superblock

/// Both forms of an inode; a field that stands elsewhere in the other has a name of its own.
namespace inode {
constexpr std::size_t kCompactSize = 32;
constexpr std::size_t kExtendedSize = 64;
constexpr std::size_t kFormat = 0;
constexpr std::size_t kXattrCount = 2;
constexpr std::size_t kMode = 4;
constexpr std::size_t kSize = 8;    ///< 32 bits in a compact one, else 64
constexpr std::size_t kUnion = 16;  ///< first block, device number, or the form of a chunk map
constexpr std::size_t kNumber = 20;
constexpr std::size_t kCompactLinks = 6;
constexpr std::size_t kCompactUid = 24;
constexpr std::size_t kCompactGid = 26;
constexpr std::size_t kUid = 24;
constexpr std::size_t kGid = 28;
constexpr std::size_t kTime = 32;
constexpr std::size_t kNanoseconds = 40;
constexpr std::size_t kLinks = 44;
}  // namespace inode

/// How an inode's data lie. Bits 1 to 3 of an inode's format; bit 0 says that it is extended.
enum class Layout : std::uint16_t {
  kPlain = 0,   ///< whole blocks, one after the other
  kInline = 2,  ///< the same, but what the last block has follows the inode
  kChunks = 4,  ///< a map of equal chunks follows the inode
};

/// Bits 0 to 4 of a chunk map's form: how often a chunk is twice a block. Bit 5: wide entries with a device.
constexpr std::uint16_t kChunkBits = 0x1f;
constexpr std::uint16_t kChunkIndexes = 0x20;

enum class FileType : std::uint8_t {
  kUnknown = 0,
  kRegular = 1,
  kDirectory = 2,
  kCharacter = 3,
  kBlockDevice = 4,
  kFifo = 5,
  kSocket = 6,
  kSymlink = 7,
};

/// In front of an inode's attributes: 4 bytes of filter, the count of shared ones, 7 reserved bytes.
constexpr std::size_t kXattrHeader = 12;
constexpr std::size_t kXattrEntry = 4;  ///< length of the name, its prefix, 16 bits of the value's length
constexpr std::size_t kDirent = 12;     ///< 64 bits of nid, 16 of the name's offset, type, reserved
constexpr std::size_t kMaxName = 255;

template <std::unsigned_integral T>
void put(std::span<char> into, std::size_t offset, T value) {
  if constexpr (std::endian::native == std::endian::big)
    value = std::byteswap(value);
  std::memcpy(into.subspan(offset, sizeof value).data(), &value, sizeof value);
}

template <std::unsigned_integral T>
T get(std::span<const char> from, std::size_t offset) {
  T value = 0;
  std::memcpy(&value, from.subspan(offset, sizeof value).data(), sizeof value);
  if constexpr (std::endian::native == std::endian::big)
    value = std::byteswap(value);
  return value;
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// What a name of an attribute begins with is a number on the disk.
struct XattrPrefix {
  std::string_view text;
  std::uint8_t index;
  bool whole;  ///< nothing may follow
};
constexpr XattrPrefix kXattrPrefixes[] = {
    {"user.", 1, false},
    {"system.posix_acl_access", 2, true},
    {"system.posix_acl_default", 3, true},
    {"trusted.", 4, false},
    {"security.", 6, false},
};

}  // namespace trine::images::erofs
