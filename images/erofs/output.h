#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace trine::images::erofs {

/// The image's blocks as they are written: from the first to the last, with inodes gathered into runs of
/// blocks between the data. Block 0 is the writer's own and comes last.
///
/// Memory: two buffers, 1.25 MiB together, whatever the image's size.
class Output {
 public:
  /// `fd` is an empty file, open for writing; `name` is for errors.
  Output(int fd, std::string name);

  /// Takes `count` consecutive blocks, which write() then fills from their beginning. Returns the first.
  /// Throws Error when the image would grow past 2^32 blocks (16 TiB).
  std::uint32_t begin_data(std::uint64_t count);
  /// Where the next bytes of the data go: room for as many as wanted() says, then wrote() tells how many
  /// came.
  [[nodiscard]] std::span<char> room();
  void wrote(std::size_t size);
  /// Zeroes; many of them are a hole in the file.
  void skip(std::uint64_t size);

  /// Places an inode with what belongs behind it. Up to a block it lies within one; `bytes` may be empty
  /// where `size` is not, to be patched later. Returns its offset, a multiple of kSlot.
  std::uint64_t place(std::size_t size, std::span<const char> bytes);

  /// Takes blocks that patch() is to fill. Returns the first.
  std::uint32_t reserve(std::uint64_t count) { return static_cast<std::uint32_t>(take(count)); }
  /// Overwrites what was placed or reserved.
  void patch(std::uint64_t offset, std::span<const char> bytes);

  /// Writes block 0 and what is still held back. Returns the number of blocks.
  std::uint32_t finish(std::span<const char> first_block);
  [[nodiscard]] std::uint32_t blocks() const { return static_cast<std::uint32_t>(end_); }

 private:
  std::uint64_t take(std::uint64_t count);
  void flush_data();
  void flush_inodes();
  void write_at(std::span<const char> bytes, std::uint64_t offset) const;

  int fd_;
  std::string name_;
  std::uint64_t end_ = 1;  ///< the first block that is not taken

  std::vector<char> data_;  ///< to be written at data_offset_
  std::size_t data_size_ = 0;
  std::uint64_t data_offset_ = 0;

  std::vector<char> inodes_;  ///< a run of blocks that begins at inodes_offset_
  std::size_t inodes_used_ = 0;
  std::uint64_t inodes_offset_ = 0;
  std::uint64_t run_ = 1;  ///< blocks of the next run
};

}  // namespace trine::images::erofs
