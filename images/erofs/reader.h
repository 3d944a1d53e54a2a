#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format.h"

namespace trine::images::erofs {

/// Reads EROFS images of the kind that Writer makes, and any other that is not compressed. Every offset is
/// checked against the file, every loop is bounded: an image may be damaged. Throws base::Error naming the
/// image.
class Reader {
 public:
  struct Inode {
    std::uint64_t nid = 0;
    FileType type = FileType::kUnknown;
    Layout layout = Layout::kPlain;
    std::uint16_t mode = 0;  ///< with the type's bits
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t links = 0;
    std::uint64_t size = 0;
    timespec mtime{};
    std::uint32_t detail = 0;  ///< first block, device number or form of the chunk map
    std::uint64_t xattrs_offset = 0;
    std::uint32_t xattrs_size = 0;
  };
  struct Entry {
    std::string name;
    std::uint64_t nid = 0;
    FileType type = FileType::kUnknown;
  };
  using Xattrs = std::vector<std::pair<std::string, std::string>>;

  /// `fd` stays the caller's.
  Reader(int fd, std::string name);

  [[nodiscard]] std::uint64_t root() const { return root_; }
  [[nodiscard]] std::uint64_t inode_count() const { return inodes_; }
  [[nodiscard]] Inode inode(std::uint64_t nid) const;
  /// "." and ".." included. At most 2^22 entries.
  [[nodiscard]] std::vector<Entry> list(const Inode& directory) const;
  /// Up to `into.size()` bytes of the data from `offset`; 0 at the end. Holes are zeroes.
  std::size_t read(const Inode& inode, std::uint64_t offset, std::span<char> into) const;
  [[nodiscard]] std::string target(const Inode& symlink) const;
  [[nodiscard]] Xattrs xattrs(const Inode& inode) const;
  /// Major and minor number.
  [[nodiscard]] static std::pair<std::uint32_t, std::uint32_t> device(const Inode& inode);

  /// By a path from the root, symlinks on the way resolved within the image; the last is not followed.
  [[nodiscard]] std::optional<Inode> find(std::string_view path) const;

  /// Reads every inode and every directory once, and checks that what they say lies within the image, that
  /// links and entries agree and the directories are a tree. Returns the number of inodes.
  std::uint64_t verify() const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void read_at(std::uint64_t offset, std::span<char> into) const;
  /// Where the byte at `offset` of the data stands, and how many follow there; nothing for a hole.
  struct Piece {
    std::optional<std::uint64_t> at;
    std::uint64_t size = 0;
  };
  [[nodiscard]] Piece locate(const Inode& inode, std::uint64_t offset) const;
  [[nodiscard]] std::optional<std::uint64_t> lookup(const Inode& directory, std::string_view name) const;
  void add_xattr(std::uint64_t& offset, std::uint64_t end, Xattrs& into) const;
  struct Seen;
  void verify_content(const Inode& inode, std::uint64_t& steps) const;
  void parse_block(std::span<const char> block, std::vector<Entry>& into) const;

  int fd_;
  std::string name_;
  std::uint64_t size_ = 0;
  std::uint64_t meta_ = 0;    ///< where nids count from
  std::uint64_t shared_ = 0;  ///< where references to shared attributes count from
  std::uint64_t root_ = 0;
  std::uint64_t inodes_ = 0;
  timespec build_time_{};
  mutable std::vector<char> window_;  ///< the part of the image that was read last
  mutable std::uint64_t window_offset_ = 0;
};

}  // namespace trine::images::erofs
