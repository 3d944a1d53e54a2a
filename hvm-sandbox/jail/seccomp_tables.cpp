#include "jail/seccomp_tables.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace trine::hvm {
namespace {

constexpr std::uint64_t kWord = 0xffffffff;  ///< of an int: the kernel looks at the lower half alone

constexpr ArgumentCheck is(unsigned argument, std::uint64_t value) {
  return {.argument = argument, .mask = kWord, .value = value};
}
constexpr ArgumentCheck has_not(unsigned argument, std::uint64_t bits) {
  return {.argument = argument, .mask = bits, .value = 0};
}

/// glibc's SIGRTMIN, which is no constant: brings a vCPU out of the guest.
constexpr int kKick = 34;

/// What every thread needs: memory that is not code, locks, waking another, the end. Memory is not given
/// other rights later, so what is data never becomes code.
constexpr std::array kEveryThread{
    AllowedCall{__NR_futex},
    AllowedCall{__NR_brk},
    AllowedCall{__NR_mmap, has_not(2, PROT_EXEC)},
    AllowedCall{__NR_munmap},
    AllowedCall{__NR_mremap},
    AllowedCall{__NR_close},
    AllowedCall{__NR_rt_sigreturn},
    AllowedCall{__NR_rt_sigprocmask},  // pthread_kill, abort, the end of a thread
    AllowedCall{__NR_getpid},          // pthread_kill
    AllowedCall{__NR_gettid},          // abort
    AllowedCall{__NR_tgkill, is(2, kKick)},
    AllowedCall{__NR_tgkill, is(2, SIGABRT)},
    AllowedCall{__NR_madvise, is(2, MADV_DONTNEED)},  // the stack of a thread that ends
    AllowedCall{__NR_exit},
    AllowedCall{__NR_exit_group},
};

/// All devices are served here. Nothing is opened and nothing is made but pairs of sockets.
constexpr std::array kLoopCalls{
#ifdef __NR_epoll_wait
    AllowedCall{__NR_epoll_wait},
#else
    AllowedCall{__NR_epoll_pwait},
#endif
    AllowedCall{__NR_read},   // events and signals
    AllowedCall{__NR_write},  // events, the console, standard error
    AllowedCall{__NR_recvfrom},
    AllowedCall{__NR_sendto},
    AllowedCall{__NR_epoll_ctl},
    AllowedCall{__NR_preadv},
    AllowedCall{__NR_pwritev},
    AllowedCall{__NR_fdatasync},
    AllowedCall{__NR_getrandom},
    AllowedCall{__NR_shutdown},
    AllowedCall{__NR_socketpair, is(0, AF_UNIX)},
    AllowedCall{__NR_fcntl, is(1, F_SETFL)},
    AllowedCall{__NR_sendmsg},  // a new connection's socket, to the caller
};

/// Registers of devices are read and written here; what their queues hold is the loop's to do.
constexpr std::array kVcpuCalls{
    AllowedCall{__NR_ioctl, is(1, KVM_RUN)},
    AllowedCall{__NR_ioctl, is(1, KVM_KVMCLOCK_CTRL)},  // after a pause
    AllowedCall{__NR_write},                            // events, the console
    AllowedCall{__NR_epoll_ctl},                        // a device is reset
};

template <std::size_t... sizes>
constexpr auto join(const std::array<AllowedCall, sizes>&... parts) {
  std::array<AllowedCall, (sizes + ...)> whole;
  auto place = whole.begin();
  ((place = std::copy(parts.begin(), parts.end(), place)), ...);
  return whole;
}

constexpr auto kLoop = join(kLoopCalls, kEveryThread);
constexpr auto kVcpu = join(kVcpuCalls, kEveryThread);

}  // namespace

std::span<const AllowedCall> allowed_calls(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kLoop:
      return kLoop;
    case ThreadKind::kVcpu:
      return kVcpu;
  }
  return {};
}

}  // namespace trine::hvm
