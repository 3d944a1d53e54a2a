#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "devices/fs/credentials.h"
#include "devices/fs/server.h"

// What a file is, beside its content.
namespace trine::hvm {

std::uint64_t FileServer::guest_number(std::uint64_t device, std::uint64_t inode) {
  // The guest sees one file system: two files of one number would be one to it. A share seldom has mounts in
  // it, and those that are more than these share the last number.
  constexpr std::size_t kMostDevices = 64;
  constexpr unsigned kDeviceShift = 56;
  auto found = std::ranges::find(devices_, device);
  if (found == devices_.end() && devices_.size() < kMostDevices)
    found = devices_.insert(devices_.end(), device);
  const auto index = static_cast<std::uint64_t>(found - devices_.begin());
  return inode ^ (index << kDeviceShift);
}

fuse_attr FileServer::attributes_of(const struct statx& status) {
  return {.ino = guest_number(::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino),
          .size = status.stx_size,
          .blocks = status.stx_blocks,
          .atime = static_cast<std::uint64_t>(status.stx_atime.tv_sec),
          .mtime = static_cast<std::uint64_t>(status.stx_mtime.tv_sec),
          .ctime = static_cast<std::uint64_t>(status.stx_ctime.tv_sec),
          .atimensec = status.stx_atime.tv_nsec,
          .mtimensec = status.stx_mtime.tv_nsec,
          .ctimensec = status.stx_ctime.tv_nsec,
          .mode = status.stx_mode,
          .nlink = status.stx_nlink,
          .uid = status.stx_uid,
          .gid = status.stx_gid,
          // The kernel's own form, which the guest takes: 12 bits of major, 20 of minor.
          .rdev = (status.stx_rdev_minor & 0xffU) | (status.stx_rdev_major << 8U) |
                  ((status.stx_rdev_minor & ~0xffU) << 12U),
          .blksize = status.stx_blksize};
}

FsError FileServer::tell_attributes(const Inode& inode, FsReply& reply) {
  fuse_attr_out out{.attr_valid = kFsBelief};
  if (inode.fd) {
    const auto status = status_of(inode.fd.get());
    if (!status)
      return status.error();
    out.attr = attributes_of(*status);
  } else {
    out.attr = {.ino = Inodes::kRoot, .mode = S_IFDIR | 0755, .nlink = 2, .blksize = 4096};
  }
  reply.put(out);
  return kDone;
}

FsError FileServer::get_attributes(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  return what ? tell_attributes(**what, reply) : what.error();
}

FsError FileServer::set_attributes(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  const auto wanted = request.take<fuse_setattr_in>();
  if (!wanted)
    return wanted.error();
  const FsError error = apply(**what, *wanted);
  return error != kDone ? error : tell_attributes(**what, reply);
}

FsError FileServer::apply(const Inode& inode, const fuse_setattr_in& wanted) {
  const int fd = inode.fd.get();
  const WithoutSetId plain((wanted.valid & static_cast<unsigned>(FATTR_KILL_SUIDGID)) != 0);
  if ((wanted.valid & (FATTR_UID | FATTR_GID)) != 0) {
    constexpr auto kSame = static_cast<std::uint32_t>(-1);
    const uid_t uid = (wanted.valid & FATTR_UID) != 0 ? wanted.uid : kSame;
    const gid_t gid = (wanted.valid & FATTR_GID) != 0 ? wanted.gid : kSame;
    if (::fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
      return errno;
  }
  // After the owner, whose change takes bits off the mode.
  if ((wanted.valid & FATTR_MODE) != 0) {
    if (S_ISLNK(inode.type))
      return EOPNOTSUPP;
    if (::fchmodat(descriptors_.get(), std::to_string(fd).c_str(), wanted.mode & 07777U, 0) != 0)
      return errno;
  }
  if ((wanted.valid & FATTR_SIZE) != 0) {
    if (const FsError error = resize(inode, wanted); error != kDone)
      return error;
  }
  if ((wanted.valid & (FATTR_ATIME | FATTR_MTIME)) == 0)
    return kDone;
  const auto time_of = [&](unsigned set, unsigned now, std::uint64_t seconds, std::uint32_t nanoseconds) {
    timespec time{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    if ((wanted.valid & now) != 0)
      time.tv_nsec = UTIME_NOW;
    else if ((wanted.valid & set) != 0)
      time = {.tv_sec = static_cast<time_t>(seconds), .tv_nsec = static_cast<long>(nanoseconds)};
    return time;
  };
  const std::array times{time_of(FATTR_ATIME, FATTR_ATIME_NOW, wanted.atime, wanted.atimensec),
                         time_of(FATTR_MTIME, FATTR_MTIME_NOW, wanted.mtime, wanted.mtimensec)};
  return ::utimensat(fd, "", times.data(), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? kDone : errno;
}

FsError FileServer::resize(const Inode& inode, const fuse_setattr_in& wanted) {
  if (!S_ISREG(inode.type))
    return S_ISDIR(inode.type) ? EISDIR : EINVAL;
  const auto size = static_cast<off_t>(wanted.size);
  if ((wanted.valid & FATTR_FH) != 0) {
    const auto open = handle(wanted.fh, false);
    if (!open)
      return open.error();
    return ::ftruncate((*open)->fd.get(), size) == 0 ? kDone : errno;
  }
  const base::UniqueFd fd = reopen(inode.fd.get(), O_WRONLY | O_NONBLOCK);
  return fd && ::ftruncate(fd.get(), size) == 0 ? kDone : errno;
}

FsError FileServer::read_link(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  if (!S_ISLNK((*what)->type))
    return EINVAL;
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlinkat((*what)->fd.get(), "", target.data(), target.size());
  if (length < 0)
    return errno;
  reply.put_bytes({target.data(), static_cast<std::size_t>(length)});
  return kDone;
}

}  // namespace trine::hvm
