#pragma once

#include <sys/stat.h>

#include <expected>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"
#include "devices/fs/inodes.h"
#include "devices/fs/message.h"

namespace trine::hvm {

/// Most of what a guest may hold at a time; beyond it gets ENFILE.
struct FsBounds {
  std::size_t inodes = 200'000;     ///< files that it knows of, each a descriptor of the monitor's
  std::size_t handles = 16'384;     ///< open files and directories
  std::size_t directories = 1'024;  ///< of them directories, which keep what was read of them and not sent
};

/// Serves a directory of the host, or a single file, to a guest. Source: Linux include/uapi/linux/fuse.h.
///
/// What the guest names is looked up by one component in a directory that it was told of, and never followed:
/// a symlink is read out to the guest, which resolves it in its own tree. Files are opened by the descriptor
/// that stands for them. Only regular files and directories are ever opened.
///
/// Used from one thread, which became a file server (credentials.h) if files are to be of the guest's users.
class FileServer {
 public:
  /// The name under which a single file stands in a root of its own.
  static constexpr const char* kSingleFile = "file";
  static constexpr std::uint32_t kMostPages = 120;  ///< of a request's data; two fit into a queue at once

  /// `source` may be open with O_PATH: a directory or a regular file. Throws base::Error for what is neither.
  FileServer(base::UniqueFd source, bool read_only, FsBounds bounds, int proc);

  /// Does what the request asks and writes the answer; returns the bytes written.
  std::uint32_t serve(const Chain& chain) noexcept;
  /// Forgets all that the guest knew.
  void reset() noexcept;

 private:
  struct Handle {
    base::UniqueFd fd;
    bool is_directory = false;
    std::uint64_t device = 0;  ///< of a directory: what its entries' numbers are on
    std::string entries;       ///< read from it, from what was sent last on
    std::uint64_t next = 0;    ///< where `entries` continue
  };
  using Operation = FsError (FileServer::*)(FsRequest&, FsReply&);
  struct OperationEntry {
    Operation serve;
    std::uint32_t opcode;
    bool changes;  ///< is refused where the share is read-only
  };
  static const OperationEntry kOperations[];
  static const OperationEntry* find_operation(std::uint32_t opcode) noexcept;

  // server.cpp
  FsError init(FsRequest& request, FsReply& reply);
  FsError destroy(FsRequest& request, FsReply& reply);
  FsError forget(FsRequest& request, FsReply& reply);
  FsError batch_forget(FsRequest& request, FsReply& reply);
  FsError statfs(FsRequest& request, FsReply& reply);
  FsError syncfs(FsRequest& request, FsReply& reply);
  [[nodiscard]] std::expected<const Inode*, FsError> inode(std::uint64_t node) const noexcept;
  [[nodiscard]] std::expected<const Inode*, FsError> directory(std::uint64_t node) const noexcept;
  [[nodiscard]] std::expected<Handle*, FsError> handle(std::uint64_t number, bool directory) noexcept;
  /// Opens what a descriptor stands for; none, and errno, when it cannot.
  [[nodiscard]] base::UniqueFd reopen(int fd, int flags) const noexcept;

  // names.cpp
  FsError lookup(FsRequest& request, FsReply& reply);
  FsError symlink(FsRequest& request, FsReply& reply);
  FsError make_node(FsRequest& request, FsReply& reply);
  FsError make_directory(FsRequest& request, FsReply& reply);
  FsError unlink(FsRequest& request, FsReply& reply);
  FsError remove_directory(FsRequest& request, FsReply& reply);
  FsError rename(FsRequest& request, FsReply& reply);
  FsError rename2(FsRequest& request, FsReply& reply);
  FsError rename_to(FsRequest& request, std::uint64_t new_directory, unsigned flags);
  FsError link(FsRequest& request, FsReply& reply);
  /// Makes the guest know what `name` is now.
  std::expected<fuse_entry_out, FsError> find_entry(const Inode& parent, const std::string& name);
  /// The same of what is open.
  std::expected<fuse_entry_out, FsError> enter(base::UniqueFd fd);
  FsError tell_entry(const Inode& parent, const std::string& name, FsReply& reply);

  // attributes.cpp
  FsError get_attributes(FsRequest& request, FsReply& reply);
  FsError set_attributes(FsRequest& request, FsReply& reply);
  FsError read_link(FsRequest& request, FsReply& reply);
  FsError apply(const Inode& inode, const fuse_setattr_in& wanted);
  FsError resize(const Inode& inode, const fuse_setattr_in& wanted);
  FsError tell_attributes(const Inode& inode, FsReply& reply);
  [[nodiscard]] fuse_attr attributes_of(const struct statx& status);
  /// Inode numbers of other devices below the root are made others than the root's.
  [[nodiscard]] std::uint64_t guest_number(std::uint64_t device, std::uint64_t inode);

  // files.cpp
  FsError open(FsRequest& request, FsReply& reply);
  FsError create(FsRequest& request, FsReply& reply);
  FsError read(FsRequest& request, FsReply& reply);
  FsError write(FsRequest& request, FsReply& reply);
  FsError release(FsRequest& request, FsReply& reply);
  FsError flush(FsRequest& request, FsReply& reply);
  FsError fsync(FsRequest& request, FsReply& reply);
  FsError allocate(FsRequest& request, FsReply& reply);
  FsError seek(FsRequest& request, FsReply& reply);
  FsError copy_range(FsRequest& request, FsReply& reply);
  std::expected<base::UniqueFd, FsError> open_file(const Inode& inode, std::uint32_t flags);
  std::expected<fuse_open_out, FsError> keep(Handle handle, std::uint32_t flags);

  // directories.cpp
  FsError open_directory(FsRequest& request, FsReply& reply);
  FsError read_directory(FsRequest& request, FsReply& reply);
  FsError read_directory_plus(FsRequest& request, FsReply& reply);
  FsError list(FsRequest& request, FsReply& reply, bool plus);
  bool put_entry(Handle& handle, const Inode& parent, FsReply& reply, std::size_t most, bool plus);
  FsError release_directory(FsRequest& request, FsReply& reply);
  FsError sync_directory(FsRequest& request, FsReply& reply);

  // xattrs.cpp
  FsError set_xattr(FsRequest& request, FsReply& reply);
  FsError get_xattr(FsRequest& request, FsReply& reply);
  FsError list_xattrs(FsRequest& request, FsReply& reply);
  FsError remove_xattr(FsRequest& request, FsReply& reply);

  bool read_only_;
  FsBounds bounds_;
  base::UniqueFd descriptors_;  ///< /proc/self/fd
  base::UniqueFd single_file_;  ///< or none: the root is a directory
  Inodes inodes_;
  std::vector<std::uint64_t> devices_;  ///< that were seen, the root's first
  std::unordered_map<std::uint64_t, Handle> handles_;
  std::size_t directory_handles_ = 0;
  std::uint64_t next_handle_ = 1;
  bool long_setxattr_ = false;  ///< the guest's SETXATTR has flags
};

/// What an inode is, by a descriptor of it.
std::expected<struct statx, FsError> status_of(int fd) noexcept;
InodeKey key_of(const struct statx& status) noexcept;

/// How long the guest may believe what it was told, in seconds: the host's own changes are seen after that.
constexpr std::uint64_t kFsBelief = 1;

}  // namespace trine::hvm
