#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "format.h"
#include "output.h"

namespace trine::images::erofs {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

struct Attributes {
  std::uint16_t mode = 0;  ///< permissions, 07777 at most
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec mtime{};
  Xattrs xattrs;  ///< whole names; one whose prefix the format does not know is left out
};

/// Offsets and lengths of the data in a sparse file, ascending.
using Extents = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// Gives the next bytes of a file's data, holes left out: at least one, and at most `into.size()`.
using DataSource = std::function<std::size_t(std::span<char> into)>;

/// An inode of the image being written.
using Node = std::uint32_t;

/// Writes an EROFS image in one pass: data and inodes as they come, directories in the end. The same calls
/// give the same bytes. The kernel takes the result from 5.4 on, 5.15 when a file is sparse.
///
/// Memory: some 150 bytes an entry beside its name, and 2 MiB. All functions throw base::Error that names the
/// image when it cannot be written.
class Writer {
 public:
  static constexpr Node kRoot = 0;
  static constexpr std::size_t kMaxNodes = 4'000'000;

  /// `fd`: an empty file. `uuid` marks the image; a digest's first bytes, say.
  Writer(int fd, std::string name, std::span<const char> uuid = {});
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // What there is.
  [[nodiscard]] std::optional<Node> find(Node directory, std::string_view name) const;
  [[nodiscard]] FileType type(Node node) const { return nodes_[node].type; }
  [[nodiscard]] Node parent(Node directory) const;
  [[nodiscard]] const std::string& target(Node symlink) const;

  // New entries. One of this name that is there already gives way, with all in it.
  Node add_directory(Node parent, std::string_view name, const Attributes& attributes);
  Node add_symlink(Node parent, std::string_view name, const Attributes& attributes, std::string_view target);
  Node add_device(Node parent, std::string_view name, const Attributes& attributes, FileType type,
                  std::uint32_t major, std::uint32_t minor);
  Node add_fifo(Node parent, std::string_view name, const Attributes& attributes);
  /// `extents` set: the file has data there only.
  Node add_file(Node parent, std::string_view name, const Attributes& attributes, std::uint64_t size,
                const DataSource& data, const Extents* extents = nullptr);
  /// Another name for what is no directory.
  void link(Node parent, std::string_view name, Node existing);

  /// Of a directory; its extended attributes are replaced too.
  void set_attributes(Node directory, const Attributes& attributes);
  void set_xattr(Node directory, const std::string& name, const std::string& value);
  void remove(Node parent, std::string_view name);

  /// Directories and superblock. Nothing can be added afterwards.
  void finish();

 private:
  struct NodeInfo {
    std::uint64_t offset = 0;  ///< of its inode
    std::uint32_t links = 0;
    std::uint32_t detail = 0;  ///< index in directories_ or targets_
    FileType type = FileType::kUnknown;
    bool extended = false;
    bool changed = false;  ///< `links` are not what stands there
  };
  struct Directory;
  /// What goes into an inode beside its attributes.
  struct Body {
    FileType type = FileType::kUnknown;
    Layout layout = Layout::kPlain;
    std::uint32_t links = 1;
    std::uint64_t size = 0;
    std::uint32_t detail = 0;  ///< the union
    std::span<const char> behind;
    std::size_t alignment = 1;  ///< of `behind`
  };

  [[noreturn]] void fail(const std::string& what) const;
  Node new_node(FileType type);
  void insert(Node parent, std::string_view name, Node node);
  Node add_inode(Node parent, std::string_view name, const Attributes& attributes, const Body& body);
  std::size_t place_inode(Node node, const Attributes& attributes, const Body& body);
  std::vector<char> encode(Node node, const Attributes& attributes, const Body& body,
                           std::span<const char> xattrs) const;
  [[nodiscard]] bool needs_extended(const Attributes& attributes, const Body& body) const;
  void take_data(std::uint64_t size, const DataSource& data);
  Node add_sparse_file(Node parent, std::string_view name, const Attributes& attributes, std::uint64_t size,
                       const DataSource& data, const Extents& extents);
  void drop(Node node);

  // Attributes: writer_xattrs.cpp.
  struct EncodedXattrs {
    std::vector<char> bytes;
    std::vector<std::pair<std::string, std::size_t>> own;  ///< entries in them, and where
  };
  EncodedXattrs encode_xattrs(const Xattrs& xattrs, bool share_all);
  std::optional<std::uint32_t> share_xattr(const std::string& entry, bool place);
  std::optional<std::uint32_t> remember_xattr(const std::string& entry, std::uint64_t offset);

  // Directories: writer_directories.cpp.
  void plan_directory(Node node);
  void write_directory(Node node);
  std::vector<char> directory_content(Node node, bool planned) const;
  std::vector<char> make_root();
  void put_superblock(std::span<char> block) const;

  Output output_;
  std::string name_;
  std::array<char, 16> uuid_{};
  std::optional<timespec> build_time_;  ///< the time of the first entry; compact inodes have this one
  bool chunked_ = false;
  std::vector<NodeInfo> nodes_;
  std::vector<std::unique_ptr<Directory>> directories_;
  std::vector<std::string> targets_;
  std::unordered_map<std::string, std::uint32_t> shared_xattrs_;  ///< encoded entry -> where, in 4 bytes
  std::size_t shared_size_ = 0;
};

}  // namespace trine::images::erofs
