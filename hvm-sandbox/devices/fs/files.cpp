#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "devices/fs/credentials.h"
#include "devices/fs/server.h"
#include "memory/io_vector.h"

// Open files and their content.
namespace trine::hvm {
namespace {

/// What of the guest's flags means something for the file. Not O_DIRECT: its rules are of the guest's pages.
constexpr unsigned kPassedFlags = O_ACCMODE | O_TRUNC | O_APPEND | O_SYNC | O_DSYNC;

bool writes(std::uint32_t flags) {
  return (flags & static_cast<unsigned>(O_ACCMODE)) != O_RDONLY ||
         (flags & static_cast<unsigned>(O_TRUNC)) != 0;
}

bool kills_set_id(std::uint32_t open_flags) {
  return (open_flags & static_cast<unsigned>(FUSE_OPEN_KILL_SUIDGID)) != 0;
}

/// preadv or pwritev until all of `parts` is done or no more can be: the bytes that were, or the error when
/// there were none.
template <class Call>
std::expected<std::size_t, FsError> transfer(Call call, std::vector<iovec> parts, std::uint64_t offset) {
  std::size_t total = 0;
  for (auto part = parts.begin(); part != parts.end();) {
    const auto count = static_cast<int>(std::min<std::ptrdiff_t>(parts.end() - part, IOV_MAX));
    const ssize_t done = call(&*part, count, static_cast<off_t>(offset + total));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0 && total == 0)
      return std::unexpected(errno);
    if (done <= 0)
      break;
    total += static_cast<std::size_t>(done);
    for (auto left = static_cast<std::size_t>(done); left > 0;) {
      const std::size_t taken = std::min(left, part->iov_len);
      part->iov_base = static_cast<std::byte*>(part->iov_base) + taken;
      part->iov_len -= taken;
      left -= taken;
      if (part->iov_len == 0)
        ++part;
    }
  }
  return total;
}

}  // namespace

std::expected<base::UniqueFd, FsError> FileServer::open_file(const Inode& inode, std::uint32_t flags) {
  // The guest opens pipes, sockets and devices itself; what asks for one here is up to something.
  if (!S_ISREG(inode.type))
    return std::unexpected(S_ISDIR(inode.type) ? EISDIR : EACCES);
  if (read_only_ && writes(flags))
    return std::unexpected(EROFS);
  const int passed = static_cast<int>(flags & kPassedFlags) | O_NONBLOCK;
  base::UniqueFd fd;
  if (read_only_)  // nor is the time of its reading written
    fd = reopen(inode.fd.get(), passed | O_NOATIME);
  if (!fd)
    fd = reopen(inode.fd.get(), passed);
  if (!fd)
    return std::unexpected(errno);
  return fd;
}

std::expected<fuse_open_out, FsError> FileServer::keep(Handle handle, std::uint32_t flags) {
  if (handles_.size() >= bounds_.handles ||
      (handle.is_directory && directory_handles_ >= bounds_.directories))
    return std::unexpected(ENFILE);
  directory_handles_ += handle.is_directory ? 1 : 0;
  fuse_open_out out{.fh = next_handle_++};
  // Closing what was only read has nothing to tell.
  if (!handle.is_directory && !writes(flags))
    out.open_flags = FOPEN_NOFLUSH;
  handles_.emplace(out.fh, std::move(handle));
  return out;
}

FsError FileServer::open(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  const auto in = request.take<fuse_open_in>();
  if (!in)
    return in.error();
  const WithoutSetId plain(kills_set_id(in->open_flags));
  auto fd = open_file(**what, in->flags);
  if (!fd)
    return fd.error();
  const auto out = keep({.fd = std::move(*fd)}, in->flags);
  if (!out)
    return out.error();
  reply.put(*out);
  return kDone;
}

FsError FileServer::create(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto in = request.take<fuse_create_in>();
  const auto name = in ? request.take_name() : std::unexpected(in.error());
  if (!name)
    return name.error();
  base::UniqueFd fd;
  {
    const ActAs caller(request.header().uid, request.header().gid, Rights::kOfMaker);
    if (caller.error() != kDone)
      return caller.error();
    // Always O_EXCL: what is there already is looked at before it is opened.
    fd.reset(::openat(
        (*parent)->fd.get(), name->c_str(),
        static_cast<int>(in->flags & kPassedFlags) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
        in->mode & 07777U));
    if (!fd && (errno != EEXIST || (in->flags & static_cast<unsigned>(O_EXCL)) != 0))
      return errno;
  }
  const auto entry = fd ? enter(reopen(fd.get(), O_PATH)) : find_entry(**parent, *name);
  if (!entry)
    return entry.error();
  if (!fd) {
    const WithoutSetId plain(kills_set_id(in->open_flags));
    auto opened = open_file(*inodes_.find(entry->nodeid), in->flags);
    if (!opened) {
      inodes_.forget(entry->nodeid, 1);
      return opened.error();
    }
    fd = std::move(*opened);
  }
  const auto out = keep({.fd = std::move(fd)}, in->flags);
  if (!out) {
    inodes_.forget(entry->nodeid, 1);
    return out.error();
  }
  reply.put(*entry);
  reply.put(*out);
  return kDone;
}

FsError FileServer::read(FsRequest& request, FsReply& reply) {
  const auto in = request.take<fuse_read_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  const std::size_t length = std::min<std::size_t>(in->size, reply.room());
  const auto done =
      transfer([&](const iovec* parts, int count,
                   off_t offset) { return ::preadv((*open)->fd.get(), parts, count, offset); },
               io_vector_of(request.chain().writable, sizeof(fuse_out_header), length), in->offset);
  if (!done)
    return done.error();
  reply.set_direct(*done);
  return kDone;
}

FsError FileServer::write(FsRequest& request, FsReply& reply) {
  const auto in = request.take<fuse_write_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  if (in->size > request.chain().readable_bytes - request.position())
    return EINVAL;
  const WithoutSetId plain((in->write_flags & static_cast<unsigned>(FUSE_WRITE_KILL_SUIDGID)) != 0);
  const auto done =
      transfer([&](const iovec* parts, int count,
                   off_t offset) { return ::pwritev((*open)->fd.get(), parts, count, offset); },
               io_vector_of(request.chain().readable, request.position(), in->size), in->offset);
  if (!done)
    return done.error();
  reply.put(fuse_write_out{.size = static_cast<std::uint32_t>(*done)});
  return kDone;
}

FsError FileServer::release(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_release_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  handles_.erase(in->fh);
  return kDone;
}

FsError FileServer::flush(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_flush_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  // Some file systems tell of what could not be written only when a descriptor is closed.
  const int copy = ::fcntl((*open)->fd.get(), F_DUPFD_CLOEXEC, 0);
  return copy >= 0 && ::close(copy) == 0 ? kDone : errno;
}

FsError FileServer::fsync(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_fsync_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  const int fd = (*open)->fd.get();
  const bool data_only = (in->fsync_flags & static_cast<unsigned>(FUSE_FSYNC_FDATASYNC)) != 0;
  return (data_only ? ::fdatasync(fd) : ::fsync(fd)) == 0 ? kDone : errno;
}

FsError FileServer::allocate(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_fallocate_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  const int done = ::fallocate((*open)->fd.get(), static_cast<int>(in->mode), static_cast<off_t>(in->offset),
                               static_cast<off_t>(in->length));
  return done == 0 ? kDone : errno;
}

FsError FileServer::seek(FsRequest& request, FsReply& reply) {
  const auto in = request.take<fuse_lseek_in>();
  const auto open = in ? handle(in->fh, false) : std::unexpected(in.error());
  if (!open)
    return open.error();
  if (in->whence != SEEK_DATA && in->whence != SEEK_HOLE)
    return EINVAL;
  const off_t found =
      ::lseek((*open)->fd.get(), static_cast<off_t>(in->offset), static_cast<int>(in->whence));
  if (found < 0)
    return errno;
  reply.put(fuse_lseek_out{.offset = static_cast<std::uint64_t>(found)});
  return kDone;
}

FsError FileServer::copy_range(FsRequest& request, FsReply& reply) {
  constexpr std::uint64_t kMostAtOnce = 16 << 20;  // the guest asks on, and others are served in between
  const auto in = request.take<fuse_copy_file_range_in>();
  const auto from = in ? handle(in->fh_in, false) : std::unexpected(in.error());
  const auto to = from ? handle(in->fh_out, false) : from;
  if (!to)
    return to.error();
  auto source = static_cast<off_t>(in->off_in);
  auto target = static_cast<off_t>(in->off_out);
  const ssize_t done = ::copy_file_range((*from)->fd.get(), &source, (*to)->fd.get(), &target,
                                         std::min(in->len, kMostAtOnce), 0);
  if (done < 0)
    return errno;
  reply.put(fuse_write_out{.size = static_cast<std::uint32_t>(done)});
  return kDone;
}

}  // namespace trine::hvm
