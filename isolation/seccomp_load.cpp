#include "seccomp_load.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "seccomp_listener.h"

namespace trine::isolation {
namespace {

/// The profile's flags as the kernel takes them together.
std::uint32_t load_flags(const SeccompFilter& filter) {
  if (!filter.notifies) {
    // Without a listener there is nothing to wait for, and the kernel refuses the flag.
    return filter.flags & ~static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  }
  // The thread that loads the program's filter is the program's only one. The courier's must stay as it is.
  return (filter.flags & ~static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_TSYNC)) |
         static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

}  // namespace

bool kernel_has_seccomp_flag(std::uint32_t flag) {
  // Flags are looked at before the filter: that there is none is told of those that are known alone.
  const std::uint32_t needs =
      flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? flag | SECCOMP_FILTER_FLAG_NEW_LISTENER : flag;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, needs, nullptr) != 0 && errno == EFAULT;
}

void load_seccomp(const SeccompFilter& filter) {
  const sock_fprog program{
      .len = static_cast<unsigned short>(filter.program.size() / sizeof(sock_filter)),
      .filter = reinterpret_cast<sock_filter*>(const_cast<char*>(filter.program.data()))};
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, load_flags(filter), &program);
  if (result < 0)
    base::throw_errno("cannot load the seccomp filter");
  if (filter.notifies)
    deliver_listener(static_cast<int>(result));
}

}  // namespace trine::isolation
