#include "devices/fs/server.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"

namespace trine::hvm {
namespace {

constexpr std::uint32_t kMajor = 7;
constexpr std::uint32_t kMinor = 36;       ///< the newest that is spoken
constexpr std::uint32_t kLeastMinor = 31;  ///< virtio-fs itself came with it
constexpr std::uint32_t kPage = 4096;

/// What is agreed on when the guest's kernel can it as well. Not POSIX_ACL: each check of the guest's would
/// ask for an attribute. Not the locks: those of the guest are among its own processes.
constexpr std::uint32_t kFlags = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
                                 FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO |
                                 FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_HANDLE_KILLPRIV_V2 |
                                 FUSE_SETXATTR_EXT | FUSE_INIT_EXT;

struct InitHead {
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t max_readahead;
  std::uint32_t flags;
};

}  // namespace

const FileServer::OperationEntry FileServer::kOperations[] = {
    {&FileServer::lookup, FUSE_LOOKUP, false},
    {&FileServer::forget, FUSE_FORGET, false},
    {&FileServer::get_attributes, FUSE_GETATTR, false},
    {&FileServer::set_attributes, FUSE_SETATTR, true},
    {&FileServer::read_link, FUSE_READLINK, false},
    {&FileServer::symlink, FUSE_SYMLINK, true},
    {&FileServer::make_node, FUSE_MKNOD, true},
    {&FileServer::make_directory, FUSE_MKDIR, true},
    {&FileServer::unlink, FUSE_UNLINK, true},
    {&FileServer::remove_directory, FUSE_RMDIR, true},
    {&FileServer::rename, FUSE_RENAME, true},
    {&FileServer::rename2, FUSE_RENAME2, true},
    {&FileServer::link, FUSE_LINK, true},
    {&FileServer::open, FUSE_OPEN, false},
    {&FileServer::read, FUSE_READ, false},
    {&FileServer::write, FUSE_WRITE, true},
    {&FileServer::statfs, FUSE_STATFS, false},
    {&FileServer::release, FUSE_RELEASE, false},
    {&FileServer::fsync, FUSE_FSYNC, false},
    {&FileServer::set_xattr, FUSE_SETXATTR, true},
    {&FileServer::get_xattr, FUSE_GETXATTR, false},
    {&FileServer::list_xattrs, FUSE_LISTXATTR, false},
    {&FileServer::remove_xattr, FUSE_REMOVEXATTR, true},
    {&FileServer::flush, FUSE_FLUSH, false},
    {&FileServer::init, FUSE_INIT, false},
    {&FileServer::open_directory, FUSE_OPENDIR, false},
    {&FileServer::read_directory, FUSE_READDIR, false},
    {&FileServer::read_directory_plus, FUSE_READDIRPLUS, false},
    {&FileServer::release_directory, FUSE_RELEASEDIR, false},
    {&FileServer::sync_directory, FUSE_FSYNCDIR, false},
    {&FileServer::create, FUSE_CREATE, true},
    {&FileServer::destroy, FUSE_DESTROY, false},
    {&FileServer::batch_forget, FUSE_BATCH_FORGET, false},
    {&FileServer::allocate, FUSE_FALLOCATE, true},
    {&FileServer::seek, FUSE_LSEEK, false},
    {&FileServer::copy_range, FUSE_COPY_FILE_RANGE, true},
    {&FileServer::syncfs, FUSE_SYNCFS, false},
};

const FileServer::OperationEntry* FileServer::find_operation(std::uint32_t opcode) noexcept {
  for (const OperationEntry& entry : kOperations) {
    if (entry.opcode == opcode)
      return &entry;
  }
  return nullptr;
}

std::expected<struct statx, FsError> status_of(int fd) noexcept {
  struct statx status{};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, &status) != 0)
    return std::unexpected(errno);
  return status;
}

InodeKey key_of(const struct statx& status) noexcept {
  return {.device = ::makedev(status.stx_dev_major, status.stx_dev_minor),
          .inode = status.stx_ino,
          .mount = status.stx_mnt_id};
}

FileServer::FileServer(base::UniqueFd source, bool read_only, FsBounds bounds, int proc)
    : read_only_(read_only),
      bounds_(bounds),
      descriptors_(base::open_file_at(proc, "self/fd", O_PATH | O_DIRECTORY)),
      inodes_(bounds.inodes) {
  const auto status = status_of(source.get());
  if (!status)
    throw base::Error("cannot share what is no file", status.error());
  Inode root{.key = key_of(*status), .type = S_IFDIR};
  devices_.push_back(root.key.device);
  if (S_ISDIR(status->stx_mode)) {
    root.fd = std::move(source);
  } else if (S_ISREG(status->stx_mode)) {
    single_file_ = std::move(source);
    root.key = {};  // a directory that is nowhere on the host
  } else {
    throw base::Error("cannot share what is neither a directory nor a regular file");
  }
  inodes_.set_root(std::move(root));
}

std::uint32_t FileServer::serve(const Chain& chain) noexcept {
  auto request = FsRequest::parse(chain);
  if (!request)
    return 0;
  FsReply reply(chain);
  const OperationEntry* const operation = find_operation(request->header().opcode);
  FsError error = ENOSYS;
  if (request->too_long())
    error = E2BIG;
  else if (operation != nullptr)
    error = operation->changes && read_only_ ? EROFS : (this->*operation->serve)(*request, reply);
  // The monitor's own bound looks to the guest like the share's.
  return reply.finish(request->header().unique, error == EMFILE ? ENFILE : error);
}

void FileServer::reset() noexcept {
  handles_.clear();
  directory_handles_ = 0;
  inodes_.clear();
}

FsError FileServer::init(FsRequest& request, FsReply& reply) {
  const auto in = request.take<InitHead>();
  if (!in)
    return in.error();
  fuse_init_out out{.major = kMajor, .minor = kMinor};
  if (in->major > kMajor) {  // it asks again, with ours
    reply.put(out);
    return kDone;
  }
  if (in->major < kMajor || in->minor < kLeastMinor)
    return EPROTO;
  reset();
  constexpr std::uint16_t kInFlight = 64;
  out.minor = std::min(in->minor, kMinor);
  out.max_readahead = in->max_readahead;
  out.flags = in->flags & kFlags;
  out.max_background = kInFlight;
  out.congestion_threshold = kInFlight * 3 / 4;
  out.max_write = kMostPages * kPage;
  out.time_gran = 1;
  out.max_pages = kMostPages;
  long_setxattr_ = (out.flags & FUSE_SETXATTR_EXT) != 0;
  reply.put(out);
  return kDone;
}

FsError FileServer::destroy(FsRequest& /*request*/, FsReply& /*reply*/) {
  reset();
  return kDone;
}

FsError FileServer::forget(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_forget_in>();
  if (!in)
    return in.error();
  inodes_.forget(request.node(), in->nlookup);
  return kDone;
}

FsError FileServer::batch_forget(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_batch_forget_in>();
  if (!in)
    return in.error();
  for (std::uint32_t i = 0; i < in->count; ++i) {
    const auto one = request.take<fuse_forget_one>();
    if (!one)
      return one.error();
    inodes_.forget(one->nodeid, one->nlookup);
  }
  return kDone;
}

FsError FileServer::statfs(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  struct statvfs status{};
  const int fd = (*what)->fd ? (*what)->fd.get() : single_file_.get();
  if (::fstatvfs(fd, &status) != 0)
    return errno;
  reply.put(fuse_statfs_out{.st = {.blocks = status.f_blocks,
                                   .bfree = status.f_bfree,
                                   .bavail = status.f_bavail,
                                   .files = status.f_files,
                                   .ffree = status.f_ffree,
                                   .bsize = static_cast<std::uint32_t>(status.f_bsize),
                                   .namelen = static_cast<std::uint32_t>(status.f_namemax),
                                   .frsize = static_cast<std::uint32_t>(status.f_frsize)}});
  return kDone;
}

FsError FileServer::syncfs(FsRequest& request, FsReply& /*reply*/) {
  const auto what = directory(request.node());
  if (!what)
    return what.error();
  if (read_only_ || single_file_)
    return kDone;
  const base::UniqueFd fd = reopen((*what)->fd.get(), O_RDONLY | O_DIRECTORY);
  return fd && ::syncfs(fd.get()) == 0 ? kDone : errno;
}

std::expected<const Inode*, FsError> FileServer::inode(std::uint64_t node) const noexcept {
  const Inode* const found = inodes_.find(node);
  if (found == nullptr)
    return std::unexpected(ESTALE);
  return found;
}

std::expected<const Inode*, FsError> FileServer::directory(std::uint64_t node) const noexcept {
  const auto found = inode(node);
  if (found && !S_ISDIR((*found)->type))
    return std::unexpected(ENOTDIR);
  return found;
}

std::expected<FileServer::Handle*, FsError> FileServer::handle(std::uint64_t number,
                                                               bool directory) noexcept {
  const auto found = handles_.find(number);
  if (found == handles_.end() || found->second.is_directory != directory)
    return std::unexpected(EBADF);
  return &found->second;
}

base::UniqueFd FileServer::reopen(int fd, int flags) const noexcept {
  // The name is a link of the kernel's to the very inode: there is no path to be exchanged.
  return base::UniqueFd(
      ::openat(descriptors_.get(), std::to_string(fd).c_str(), flags | O_CLOEXEC | O_NOCTTY));
}

}  // namespace trine::hvm
