#include "jail/seccomp_tables.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

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

/// What every thread needs: memory that is not code, locks, waking another, the guest's interrupts, the end.
/// Memory is not given other rights later, so what is data never becomes code.
constexpr std::array kEveryThread{
    AllowedCall{__NR_futex},
    AllowedCall{__NR_ioctl, is(1, KVM_IRQ_LINE)},
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
    AllowedCall{__NR_readv},   // taps
    AllowedCall{__NR_writev},  // taps
    AllowedCall{__NR_preadv},
    AllowedCall{__NR_preadv2, is(5, RWF_NOWAIT)},
    AllowedCall{__NR_pwritev},
    AllowedCall{__NR_fdatasync},
    AllowedCall{__NR_io_uring_enter},   // rings of disks, which are made before and can do nothing else
    AllowedCall{__NR_timerfd_settime},  // limits of disks
    AllowedCall{__NR_getrandom},
    AllowedCall{__NR_shutdown},
    AllowedCall{__NR_socketpair, is(0, AF_UNIX)},
    AllowedCall{__NR_fcntl, is(1, F_SETFL)},
    AllowedCall{__NR_sendmsg},  // a new connection's socket, to the caller
};

/// Registers of devices are read and written here, and what the host has in memory is read: what else queues
/// hold is the loop's to do.
constexpr std::array kVcpuCalls{
    AllowedCall{__NR_ioctl, is(1, KVM_RUN)},
    AllowedCall{__NR_ioctl, is(1, KVM_KVMCLOCK_CTRL)},  // after a pause
    AllowedCall{__NR_ioctl, is(1, TUNSETOFFLOAD)},      // a driver says what it takes of a tap
    AllowedCall{__NR_write},                            // events, the console
    AllowedCall{__NR_epoll_ctl},                        // a device is reset
    AllowedCall{__NR_io_uring_enter},              // disks: one request; a reset waits for what is under way
    AllowedCall{__NR_preadv2, is(5, RWF_NOWAIT)},  // disks, what is in memory
};

/// Files are found beneath those that are open, and opened by their descriptors. No program is run, nothing
/// is made that leads out of files: a device needs a capability that the thread has not.
constexpr std::array kSharesCalls{
    AllowedCall{__NR_statx},           AllowedCall{__NR_openat},
    AllowedCall{__NR_preadv},          AllowedCall{__NR_pwritev},
    AllowedCall{__NR_getdents64},      AllowedCall{__NR_read},  // events
    AllowedCall{__NR_write},                                    // events
    AllowedCall{__NR_setfsuid},        AllowedCall{__NR_setfsgid},
    AllowedCall{__NR_capset},          AllowedCall{__NR_geteuid},
    AllowedCall{__NR_getegid},         AllowedCall{__NR_lseek},
    AllowedCall{__NR_readlinkat},      AllowedCall{__NR_mkdirat},
    AllowedCall{__NR_mknodat},         AllowedCall{__NR_symlinkat},
    AllowedCall{__NR_linkat},          AllowedCall{__NR_unlinkat},
    AllowedCall{__NR_renameat},  // glibc, without flags
    AllowedCall{__NR_renameat2},       AllowedCall{__NR_fchownat},
    AllowedCall{__NR_fchmodat},        AllowedCall{__NR_ftruncate},
    AllowedCall{__NR_utimensat},       AllowedCall{__NR_fallocate},
    AllowedCall{__NR_fsync},           AllowedCall{__NR_fdatasync},
    AllowedCall{__NR_syncfs},          AllowedCall{__NR_fstatfs},
    AllowedCall{__NR_fgetxattr},       AllowedCall{__NR_fsetxattr},
    AllowedCall{__NR_flistxattr},      AllowedCall{__NR_fremovexattr},
    AllowedCall{__NR_copy_file_range}, AllowedCall{__NR_fcntl, is(1, F_DUPFD_CLOEXEC)},
};

template <std::size_t... sizes>
constexpr auto join(const std::array<AllowedCall, sizes>&... parts) {
  std::array<AllowedCall, (sizes + ...)> whole;
  auto place = whole.begin();
  ((place = std::copy(parts.begin(), parts.end(), place)), ...);
  return whole;
}

constexpr auto kLoop = join(kLoopCalls, kEveryThread);
constexpr auto kShares = join(kSharesCalls, kEveryThread);
constexpr auto kVcpu = join(kVcpuCalls, kEveryThread);

}  // namespace

std::span<const AllowedCall> allowed_calls(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kLoop:
      return kLoop;
    case ThreadKind::kVcpu:
      return kVcpu;
    case ThreadKind::kShares:
      return kShares;
  }
  return {};
}

}  // namespace trine::hvm
