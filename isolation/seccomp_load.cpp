#include "seccomp_load.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

namespace trine::isolation {

void load_seccomp(const SeccompFilter& filter) {
  const sock_fprog program{
      .len = static_cast<unsigned short>(filter.program.size() / sizeof(sock_filter)),
      .filter = reinterpret_cast<sock_filter*>(const_cast<char*>(filter.program.data()))};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) != 0) {
    base::throw_errno("cannot load the seccomp filter");
  }
}

}  // namespace trine::isolation
