#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <unordered_map>

#include "base/unique_fd.h"

namespace trine::hvm {

/// What makes two names the same file: inode numbers repeat on other devices, and a mount over a directory is
/// another directory than the one below.
struct InodeKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t mount = 0;
  bool operator==(const InodeKey&) const = default;
};

/// A file of the host that the guest knows of: open with O_PATH, which follows nothing and reads nothing.
struct Inode {
  base::UniqueFd fd;
  InodeKey key;
  mode_t type = 0;            ///< S_IF…, which no file changes
  std::uint64_t lookups = 0;  ///< how often the guest was told of it, less what it forgot
};

/// The files that the guest knows of, by the numbers under which it does. A number is never used twice.
class Inodes {
 public:
  static constexpr std::uint64_t kRoot = 1;

  /// `most`: a guest that knows that many files is told of no more until it forgets some.
  explicit Inodes(std::size_t most) : most_(most) {}

  /// The root, which is never forgotten.
  void set_root(Inode root);
  [[nodiscard]] const Inode* find(std::uint64_t node) const noexcept;
  /// Counts a lookup: the number under which the guest knows the file; 0 when there is no room.
  std::uint64_t add(Inode inode);
  void forget(std::uint64_t node, std::uint64_t lookups) noexcept;
  /// All but the root.
  void clear() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return inodes_.size(); }

 private:
  struct KeyHash {
    std::size_t operator()(const InodeKey& key) const noexcept {
      // The inode number varies; the others tell few devices apart.
      return static_cast<std::size_t>((key.inode * 0x9e3779b97f4a7c15U) ^ (key.device << 7U) ^ key.mount);
    }
  };

  std::size_t most_;
  std::uint64_t next_ = kRoot + 1;
  std::unordered_map<std::uint64_t, Inode> inodes_;
  std::unordered_map<InodeKey, std::uint64_t, KeyHash> numbers_;
};

}  // namespace trine::hvm
