#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "devices/fs/server.h"

// Listing directories.
namespace trine::hvm {
namespace {

/// Read from the host at a time: about what one answer of a page takes, with attributes.
constexpr std::size_t kReadBytes = 2048;

/// linux_dirent64, up to its name.
struct HostEntry {
  std::uint64_t inode;
  std::uint64_t next;
  std::uint16_t bytes;
  std::uint8_t type;
};
constexpr std::size_t kNameOffset = 19;

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

}  // namespace

FsError FileServer::open_directory(FsRequest& request, FsReply& reply) {
  const auto what = directory(request.node());
  if (!what)
    return what.error();
  Handle made{.is_directory = true, .device = (*what)->key.device};
  if ((*what)->fd) {
    made.fd = reopen((*what)->fd.get(), O_RDONLY | O_DIRECTORY | (read_only_ ? O_NOATIME : 0));
    if (!made.fd)
      made.fd = reopen((*what)->fd.get(), O_RDONLY | O_DIRECTORY);
    if (!made.fd)
      return errno;
  }
  const auto out = keep(std::move(made), O_RDONLY);
  if (!out)
    return out.error();
  reply.put(*out);
  return kDone;
}

FsError FileServer::read_directory(FsRequest& request, FsReply& reply) {
  return list(request, reply, false);
}

FsError FileServer::read_directory_plus(FsRequest& request, FsReply& reply) {
  return list(request, reply, true);
}

FsError FileServer::list(FsRequest& request, FsReply& reply, bool plus) {
  const auto parent = directory(request.node());
  if (!parent)
    return parent.error();
  const auto in = request.take<fuse_read_in>();
  const auto found = in ? handle(in->fh, true) : std::unexpected(in.error());
  if (!found)
    return found.error();
  Handle& open = **found;
  if (!open.fd)  // around a single file, which is reached by its name
    return kDone;
  if (in->offset != open.next || in->offset == 0) {
    open.entries.clear();
    if (::lseek(open.fd.get(), static_cast<off_t>(in->offset), SEEK_SET) < 0)
      return errno;
    open.next = in->offset;
  }
  const std::size_t most = std::min<std::size_t>({in->size, reply.room(), kMostPages * std::size_t{4096}});
  while (true) {
    while (!open.entries.empty()) {
      if (!put_entry(open, **parent, reply, most, plus))
        return reply.size() > 0 ? kDone : EINVAL;
    }
    std::array<char, kReadBytes> bytes;
    const long got = ::syscall(SYS_getdents64, open.fd.get(), bytes.data(), bytes.size());
    if (got < 0 && reply.size() == 0)
      return errno;
    if (got <= 0)
      return kDone;
    open.entries.assign(bytes.data(), static_cast<std::size_t>(got));
  }
}

bool FileServer::put_entry(Handle& handle, const Inode& parent, FsReply& reply, std::size_t most, bool plus) {
  // The host's kernel wrote these: they are whole.
  HostEntry entry{};
  std::memcpy(&entry, handle.entries.data(), sizeof(std::uint64_t) * 2 + 3);
  const std::string name = handle.entries.data() + kNameOffset;
  const std::size_t head = offsetof(fuse_dirent, name) + (plus ? sizeof(fuse_entry_out) : 0);
  const std::size_t bytes = aligned(head + name.size());
  if (bytes > most - std::min(most, reply.size()))
    return false;
  if (plus) {
    fuse_entry_out told{};  // a number of 0: not looked up
    if (name != "." && name != "..") {
      if (const auto found = find_entry(parent, name))
        told = *found;
    }
    reply.put(told);
  }
  reply.put_bytes(
      {reinterpret_cast<const char*>(
           std::array<std::uint64_t, 2>{guest_number(handle.device, entry.inode), entry.next}.data()),
       sizeof(std::uint64_t) * 2});
  reply.put(static_cast<std::uint32_t>(name.size()));
  reply.put(static_cast<std::uint32_t>(entry.type));
  reply.put_bytes(name);
  reply.put_bytes(std::string(bytes - head - name.size(), '\0'));
  handle.next = entry.next;
  handle.entries.erase(0, entry.bytes);
  return true;
}

FsError FileServer::release_directory(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_release_in>();
  const auto open = in ? handle(in->fh, true) : std::unexpected(in.error());
  if (!open)
    return open.error();
  handles_.erase(in->fh);
  --directory_handles_;
  return kDone;
}

FsError FileServer::sync_directory(FsRequest& request, FsReply& /*reply*/) {
  const auto in = request.take<fuse_fsync_in>();
  const auto open = in ? handle(in->fh, true) : std::unexpected(in.error());
  if (!open)
    return open.error();
  if (!(*open)->fd)
    return kDone;
  return ::fsync((*open)->fd.get()) == 0 ? kDone : errno;
}

}  // namespace trine::hvm
