#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

/// Mounts by descriptor: a mount is made detached, given its attributes, and attached last, onto a descriptor
/// that was resolved inside the root. No path is looked up twice.
/// Source: fsopen(2), open_tree(2), move_mount(2) of kernel 5.2, mount_setattr(2) of 5.12.
namespace trine::isolation {

/// A file system being configured.
class FilesystemContext {
 public:
  explicit FilesystemContext(const std::string& type);
  /// The file system that is mounted at `mount`, to be changed.
  FilesystemContext(int mount, const std::string& where);
  void set(const std::string& key, const std::string& value) const;
  void set_flag(const std::string& key) const;
  /// Comma-separated options, "key=value" or "flag".
  void set_all(std::string_view options) const;
  /// Whether the kernel only collects options here, for a parser that reads them as one text when the
  /// superblock is made: it takes any key, and refuses it then (overlayfs before Linux 6.5).
  [[nodiscard]] bool only_collects() const;
  /// Makes the superblock and a detached mount of it with MOUNT_ATTR_… `attributes`.
  [[nodiscard]] base::UniqueFd mount(std::uint64_t attributes) const;
  /// Takes the options over into the file system that is mounted.
  void reconfigure() const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  std::string type_;
  base::UniqueFd fd_;
};

/// A detached copy of the mount at `path` (below `directory`), or of its whole tree.
base::UniqueFd clone_tree(int directory, const std::string& path, bool recursive);

/// Attaches a detached mount onto `target`, an O_PATH descriptor.
void attach(int mount, int target, const std::string& where);

/// Attributes of a mount to set and to clear, MOUNT_ATTR_….
struct AttributeChange {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
  bool recursive = false;
  std::uint64_t propagation = 0;  ///< MS_PRIVATE, MS_SLAVE, …, without MS_REC; 0: as it is. Needs kernel 5.12
};

/// Changes an attached mount, with mount_setattr() or, before kernel 5.12, the way below. A `recursive`
/// change needs the former.
void change_attributes(int mount, const AttributeChange& change, const std::string& where);

/// The same by mount(MS_REMOUNT | MS_BIND) through /proc/self/fd (mount_legacy.cpp).
void change_attributes_legacy(int mount, const AttributeChange& change, const std::string& where);

}  // namespace trine::isolation
