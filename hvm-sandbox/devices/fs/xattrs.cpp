#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <climits>
#include <string_view>

#include "devices/fs/credentials.h"
#include "devices/fs/server.h"

// Extended attributes.
namespace trine::hvm {
namespace {

constexpr std::size_t kMostValue = 65536;  ///< XATTR_SIZE_MAX
constexpr std::size_t kMostList = 65536;   ///< XATTR_LIST_MAX

/// Those that are an ordinary program's, a file's capabilities, and access lists. What is trusted or labels
/// is the host's.
bool is_guests(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability" || name == "system.posix_acl_access" ||
         name == "system.posix_acl_default";
}

/// Symlinks have none of those, and nothing else is opened.
bool can_have(const Inode& inode) {
  return S_ISREG(inode.type) || S_ISDIR(inode.type);
}

constexpr int kToAsk = O_RDONLY | O_NONBLOCK;

/// An answer of `length` bytes of `value` to who has room for `wanted`; 0 asks how many there are.
FsError tell(std::uint32_t wanted, const std::string& value, FsReply& reply) {
  if (wanted == 0)
    reply.put(fuse_getxattr_out{.size = static_cast<std::uint32_t>(value.size())});
  else if (value.size() > wanted)
    return ERANGE;
  else
    reply.put_bytes(value);
  return kDone;
}

}  // namespace

FsError FileServer::set_xattr(FsRequest& request, FsReply& /*reply*/) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  fuse_setxattr_in in{};
  const auto size = request.take<std::uint32_t>();
  const auto flags = size ? request.take<std::uint32_t>() : size;
  if (!flags)
    return flags.error();
  in.size = *size;
  if (long_setxattr_) {
    const auto more = request.take<std::uint64_t>();
    if (!more)
      return more.error();
    in.setxattr_flags = static_cast<std::uint32_t>(*more);
  }
  const auto name = request.take_text(XATTR_NAME_MAX);
  const auto value = name ? request.take_bytes(in.size) : name;
  if (!value)
    return value.error();
  if (in.size > kMostValue)
    return E2BIG;
  if (!is_guests(*name) || !can_have(**what))
    return EPERM;
  const base::UniqueFd fd = reopen((*what)->fd.get(), kToAsk);
  if (!fd)
    return errno;
  const WithoutSetId plain((in.setxattr_flags & static_cast<unsigned>(FUSE_SETXATTR_ACL_KILL_SGID)) != 0);
  const int done =
      ::fsetxattr(fd.get(), name->c_str(), value->data(), value->size(), static_cast<int>(*flags));
  return done == 0 ? kDone : errno;
}

FsError FileServer::get_xattr(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  const auto in = request.take<fuse_getxattr_in>();
  const auto name = in ? request.take_text(XATTR_NAME_MAX) : std::unexpected(in.error());
  if (!name)
    return name.error();
  if (!is_guests(*name) || !can_have(**what))
    return ENODATA;
  const base::UniqueFd fd = reopen((*what)->fd.get(), kToAsk);
  if (!fd)
    return errno;
  std::string value(kMostValue, '\0');
  const ssize_t length = ::fgetxattr(fd.get(), name->c_str(), value.data(), value.size());
  if (length < 0)
    return errno;
  value.resize(static_cast<std::size_t>(length));
  return tell(in->size, value, reply);
}

FsError FileServer::list_xattrs(FsRequest& request, FsReply& reply) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  const auto in = request.take<fuse_getxattr_in>();
  if (!in)
    return in.error();
  std::string shown;
  if (can_have(**what)) {
    const base::UniqueFd fd = reopen((*what)->fd.get(), kToAsk);
    if (!fd)
      return errno;
    std::string names(kMostList, '\0');
    const ssize_t length = ::flistxattr(fd.get(), names.data(), names.size());
    if (length < 0)
      return errno;
    for (std::size_t i = 0; i < static_cast<std::size_t>(length);) {
      const std::string name = names.c_str() + i;
      if (is_guests(name))
        shown += name + '\0';
      i += name.size() + 1;
    }
  }
  return tell(in->size, shown, reply);
}

FsError FileServer::remove_xattr(FsRequest& request, FsReply& /*reply*/) {
  const auto what = inode(request.node());
  if (!what)
    return what.error();
  const auto name = request.take_text(XATTR_NAME_MAX);
  if (!name)
    return name.error();
  if (!is_guests(*name) || !can_have(**what))
    return EPERM;
  const base::UniqueFd fd = reopen((*what)->fd.get(), kToAsk);
  return fd && ::fremovexattr(fd.get(), name->c_str()) == 0 ? kDone : errno;
}

}  // namespace trine::hvm
