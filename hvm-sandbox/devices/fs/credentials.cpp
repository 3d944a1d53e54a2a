#include "devices/fs/credentials.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace trine::hvm {
namespace {

/// Not CAP_MKNOD: a guest makes no devices. Not CAP_DAC_READ_SEARCH: it opens files by handle, from anywhere.
constexpr std::uint64_t kKept = (1ULL << CAP_CHOWN) | (1ULL << CAP_DAC_OVERRIDE) | (1ULL << CAP_FOWNER) |
                                (1ULL << CAP_FSETID) | (1ULL << CAP_SETGID) | (1ULL << CAP_SETUID) |
                                (1ULL << CAP_SETFCAP);

struct Capabilities {
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
};

using Words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

// Of the calling thread alone, as the system calls have it.
Capabilities own_capabilities() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Words words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0)
    return {};
  return {.effective = words[0].effective | (static_cast<std::uint64_t>(words[1].effective) << 32U),
          .permitted = words[0].permitted | (static_cast<std::uint64_t>(words[1].permitted) << 32U)};
}

bool set_capabilities(const Capabilities& wanted) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Words words{};
  words[0].effective = static_cast<std::uint32_t>(wanted.effective);
  words[0].permitted = static_cast<std::uint32_t>(wanted.permitted);
  words[1].effective = static_cast<std::uint32_t>(wanted.effective >> 32U);
  words[1].permitted = static_cast<std::uint32_t>(wanted.permitted >> 32U);
  return ::syscall(SYS_capset, &header, words.data()) == 0;
}

/// The thread's rights as it began: what it has is not asked for at every file.
thread_local std::uint64_t own_rights = 0;

// glibc's setfsuid() does the same; neither tells of failure but by asking again.
bool set_user(uid_t user) noexcept {
  ::setfsuid(user);
  return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == user;
}

bool set_group(gid_t group) noexcept {
  ::setfsgid(group);
  return static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) == group;
}

}  // namespace

void become_file_server() noexcept {
  (void)::unshare(CLONE_FS);
  ::umask(0);
  own_rights = own_capabilities().permitted & kKept;
  (void)set_capabilities({.effective = own_rights, .permitted = own_rights});
}

ActAs::ActAs(uid_t user, gid_t group, Rights rights) noexcept {
  constexpr std::uint64_t kNeeded = (1ULL << CAP_SETUID) | (1ULL << CAP_SETGID);
  // A monitor that is no root makes what belongs to its own user.
  if ((own_rights & kNeeded) != kNeeded || (user == ::geteuid() && group == ::getegid()))
    return;
  changed_ = true;
  if (!set_group(group) || !set_user(user)) {
    error_ = EPERM;
    return;
  }
  // Leaving root's number has taken the rights over files. The guest's kernel knows groups that we do not.
  constexpr std::uint64_t kFiles = (1ULL << CAP_CHOWN) | (1ULL << CAP_FOWNER) | (1ULL << CAP_FSETID);
  const std::uint64_t dropped = rights == Rights::kAll ? 0 : kFiles;
  (void)set_capabilities({.effective = own_rights & ~dropped, .permitted = own_rights});
}

ActAs::~ActAs() {
  if (!changed_)
    return;
  (void)set_user(::geteuid());
  (void)set_group(::getegid());
  (void)set_capabilities({.effective = own_rights, .permitted = own_rights});
}

WithoutSetId::WithoutSetId(bool wanted) noexcept {
  if (!wanted || (own_rights & (1ULL << CAP_FSETID)) == 0)
    return;
  changed_ = set_capabilities({.effective = own_rights & ~(1ULL << CAP_FSETID), .permitted = own_rights});
}

WithoutSetId::~WithoutSetId() {
  if (changed_)
    (void)set_capabilities({.effective = own_rights, .permitted = own_rights});
}

}  // namespace trine::hvm
