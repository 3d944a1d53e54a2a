#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "devices/fs/credentials.h"
#include "devices/fs/server.h"

// What changes names in directories, or looks them up.
namespace trine::hvm {
namespace {

/// Calls `make` as the user who asks, and gives its error.
template <class Make>
FsError as_caller(const FsRequest& request, Make make, Rights rights = Rights::kOfMaker) {
  const ActAs caller(request.header().uid, request.header().gid, rights);
  if (caller.error() != kDone)
    return caller.error();
  return make() == 0 ? kDone : errno;
}

constexpr mode_t kPermissions = 07777;

}  // namespace

std::expected<fuse_entry_out, FsError> FileServer::enter(base::UniqueFd fd) {
  const auto status = status_of(fd.get());
  if (!status)
    return std::unexpected(status.error());
  const std::uint64_t node =
      inodes_.add({.fd = std::move(fd),
                   .key = key_of(*status),
                   .type = static_cast<mode_t>(status->stx_mode & static_cast<unsigned>(S_IFMT))});
  if (node == 0)
    return std::unexpected(ENFILE);
  return fuse_entry_out{
      .nodeid = node, .entry_valid = kFsBelief, .attr_valid = kFsBelief, .attr = attributes_of(*status)};
}

std::expected<fuse_entry_out, FsError> FileServer::find_entry(const Inode& parent, const std::string& name) {
  base::UniqueFd fd;
  if (parent.fd)
    fd.reset(::openat(parent.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  else if (name == kSingleFile)
    fd.reset(::fcntl(single_file_.get(), F_DUPFD_CLOEXEC, 0));
  else
    return std::unexpected(ENOENT);
  if (!fd)
    return std::unexpected(errno);
  return enter(std::move(fd));
}

FsError FileServer::tell_entry(const Inode& parent, const std::string& name, FsReply& reply) {
  const auto entry = find_entry(parent, name);
  if (!entry)
    return entry.error();
  reply.put(*entry);
  return kDone;
}

FsError FileServer::lookup(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto name = request.take_name();
  return name ? tell_entry(**parent, *name, reply) : name.error();
}

FsError FileServer::symlink(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto name = request.take_name();
  const auto target = name ? request.take_text(PATH_MAX - 1) : name;
  if (!target)
    return target.error();
  const FsError error =
      as_caller(request, [&] { return ::symlinkat(target->c_str(), (*parent)->fd.get(), name->c_str()); });
  return error != kDone ? error : tell_entry(**parent, *name, reply);
}

FsError FileServer::make_node(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto in = request.take<fuse_mknod_in>();
  const auto name = in ? request.take_name() : std::unexpected(in.error());
  if (!name)
    return name.error();
  // A device of this number is another on the host than in the guest.
  if (!S_ISREG(in->mode) && !S_ISFIFO(in->mode) && !S_ISSOCK(in->mode))
    return EPERM;
  const mode_t mode = in->mode & (S_IFMT | kPermissions);
  const FsError error =
      as_caller(request, [&] { return ::mknodat((*parent)->fd.get(), name->c_str(), mode, 0); });
  return error != kDone ? error : tell_entry(**parent, *name, reply);
}

FsError FileServer::make_directory(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto in = request.take<fuse_mkdir_in>();
  const auto name = in ? request.take_name() : std::unexpected(in.error());
  if (!name)
    return name.error();
  const FsError error = as_caller(
      request, [&] { return ::mkdirat((*parent)->fd.get(), name->c_str(), in->mode & kPermissions); });
  return error != kDone ? error : tell_entry(**parent, *name, reply);
}

FsError FileServer::unlink(FsRequest& request, FsReply& /*reply*/) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto name = request.take_name();
  if (!name)
    return name.error();
  return ::unlinkat((*parent)->fd.get(), name->c_str(), 0) == 0 ? kDone : errno;
}

FsError FileServer::remove_directory(FsRequest& request, FsReply& /*reply*/) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto name = request.take_name();
  if (!name)
    return name.error();
  return ::unlinkat((*parent)->fd.get(), name->c_str(), AT_REMOVEDIR) == 0 ? kDone : errno;
}

FsError FileServer::rename(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_rename_in>();
  return in ? rename_to(request, in->newdir, 0) : in.error();
}

FsError FileServer::rename2(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_rename2_in>();
  if (!in)
    return in.error();
  // Not RENAME_WHITEOUT, which makes a device.
  if ((in->flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0)
    return EINVAL;
  return rename_to(request, in->newdir, in->flags);
}

FsError FileServer::rename_to(FsRequest& request, std::uint64_t new_directory, unsigned flags) {
  const auto from = directory(request.node());
  const auto to = from ? directory(new_directory) : from;
  if (!to)
    return to.error();
  const auto old_name = request.take_name();
  const auto new_name = old_name ? request.take_name() : old_name;
  if (!new_name)
    return new_name.error();
  return as_caller(
      request,
      [&] {
        return ::renameat2((*from)->fd.get(), old_name->c_str(), (*to)->fd.get(), new_name->c_str(), flags);
      },
      Rights::kAll);
}

FsError FileServer::link(FsRequest& request, FsReply& reply) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto in = request.take<fuse_link_in>();
  const auto what = in ? inode(in->oldnodeid) : std::unexpected(in.error());
  if (!what)
    return what.error();
  const auto name = request.take_name();
  if (!name)
    return name.error();
  // Follows the link in /proc/self/fd, and nothing behind it.
  const FsError error = as_caller(
      request,
      [&] {
        return ::linkat(descriptors_.get(), std::to_string((*what)->fd.get()).c_str(), (*parent)->fd.get(),
                        name->c_str(), AT_SYMLINK_FOLLOW);
      },
      Rights::kAll);
  return error != kDone ? error : tell_entry(**parent, *name, reply);
}

}  // namespace trine::hvm
