#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.h"
#include "isolation/capabilities.h"
#include "isolation/seccomp.h"

/// What a container's program may ask of the kernel by default. Left out is what reaches beyond namespaces
/// (kexec, modules, clocks, swap, quotas, key rings), what makes new ones (user namespaces above all), and
/// what is mostly known for its holes (io_uring, userfaultfd, bpf, perf events).
namespace trine::isolation {
namespace {

constexpr std::array<std::string_view, 12> kAllowed{
    // files: names, contents, attributes
    "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat "
    "faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat "
    "fcntl "
    "fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs "
    "fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat lchown "
    "lchown32 lgetxattr link linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr "
    "lstat "
    "lstat64 mkdir mkdirat mknod mknodat newfstatat oldfstat oldlstat oldstat open openat openat2 "
    "name_to_handle_at readlink readlinkat removexattr removexattrat rename renameat renameat2 rmdir "
    "setxattr "
    "setxattrat stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 "
    "syncfs "
    "truncate truncate64 ugetrlimit umask unlink unlinkat utime utimensat utimensat_time64 utimes cachestat "
    "readahead statmount listmount",
    // reading and writing
    "pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv sendfile sendfile64 splice tee vmsplice "
    "write "
    "writev ioctl pipe pipe2",
    // waiting for events
    "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old "
    "eventfd eventfd2 _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 "
    "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch fanotify_mark io_cancel io_destroy "
    "io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit",
    // memory
    "brk get_mempolicy madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 "
    "mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
    "process_madvise "
    "process_mrelease remap_file_pages map_shadow_stack",
    // processes and threads
    "_exit arch_prctl capget capset execve execveat exit exit_group fork vfork futex futex_requeue "
    "futex_time64 "
    "futex_wait futex_waitv futex_wake get_robust_list get_thread_area getpgid getpgrp getpid getppid "
    "getpriority "
    "getrlimit getrusage getsid gettid ioprio_get ioprio_set modify_ldt pidfd_open pidfd_send_signal prctl "
    "prlimit64 restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity "
    "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list "
    "set_thread_area set_tid_address setpgid setpriority setrlimit setsid uname sysinfo "
    "times wait4 waitid waitpid getcpu",
    // users and groups
    "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 "
    "getresuid "
    "getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
    "setgroups32 "
    "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32",
    // signals
    "alarm kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
    "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signal sigaction sigpending "
    "sigprocmask sigreturn sigsuspend tgkill tkill",
    // clocks and timers, to read and to wait on
    "adjtimex clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
    "clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
    "timerfd_create "
    "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64",
    // sockets; socket itself is below
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair socketcall",
    // System V and POSIX inter-process communication
    "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
    "mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
    "semtimedop_time64 shmat shmctl shmdt shmget",
    // confining oneself further
    "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp getrandom",
    // old names of the above, and tracing of one's own children (safe since Linux 4.8)
    "nice readdir ptrace process_vm_readv process_vm_writev uretprobe",
};

struct Extra {
  int capability;
  std::string_view syscalls;
};
/// What comes with a capability.
constexpr std::array kExtras{
    Extra{CAP_DAC_READ_SEARCH, "open_by_handle_at"},
    Extra{CAP_SYS_ADMIN,
          "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr "
          "lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open "
          "quotactl "
          "quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare"},
    Extra{CAP_SYS_BOOT, "reboot"},
    Extra{CAP_SYS_CHROOT, "chroot"},
    Extra{CAP_SYS_MODULE, "delete_module finit_module init_module"},
    Extra{CAP_SYS_PACCT, "acct"},
    Extra{CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
    Extra{CAP_SYS_RAWIO, "iopl ioperm"},
    Extra{CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64 clock_adjtime clock_adjtime64"},
    Extra{CAP_SYS_TTY_CONFIG, "vhangup"},
    Extra{CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node move_pages"},
    Extra{CAP_SYSLOG, "syslog"},
    Extra{CAP_BPF, "bpf"},
    Extra{CAP_PERFMON, "perf_event_open"},
};

/// Known, and meant to fail with EPERM. Naming them also says which syscalls the profile knows: what is newer
/// than the newest of all these fails with ENOSYS.
constexpr std::string_view kForbidden =
    "add_key bpf clock_settime delete_module fsopen fsmount fsconfig fspick init_module finit_module "
    "io_uring_enter "
    "io_uring_register io_uring_setup kexec_file_load kexec_load keyctl mount mount_setattr move_mount "
    "open_tree "
    "perf_event_open pivot_root quotactl_fd reboot request_key setns swapoff swapon umount2 unshare "
    "userfaultfd";

void allow(SeccompProfile& profile, std::string_view syscalls, std::vector<SeccompArgument> arguments = {}) {
  profile.rules.push_back({.syscalls = base::split(syscalls, ' ', base::SplitEmpty::kSkip),
                           .action = SeccompAction::kAllow,
                           .arguments = std::move(arguments)});
}

/// Execution domains that change nothing but how addresses are laid out, and the query.
void allow_personalities(SeccompProfile& profile) {
  for (const std::uint64_t persona : {0x0ULL, 0x0008ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    allow(profile, "personality", {{.index = 0, .value = persona, .compare = SeccompCompare::kEqual}});
  }
}

/// Sockets of every family but vsock, which reaches the host's hypervisor and is in no namespace.
void allow_sockets(SeccompProfile& profile) {
  allow(profile, "socket", {{.index = 0, .value = AF_VSOCK, .compare = SeccompCompare::kNotEqual}});
}

/// clone without namespaces; clone3 hides its flags in memory, where no filter can look, so it claims not to
/// exist and the C library falls back to clone.
void allow_threads(SeccompProfile& profile) {
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                        CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  allow(profile, "clone",
        {{.index = 0, .value = kNamespaces, .value_two = 0, .compare = SeccompCompare::kMaskedEqual}});
  profile.rules.push_back(
      {.syscalls = {"clone3"}, .action = SeccompAction::kErrno, .errno_value = ENOSYS, .arguments = {}});
}

}  // namespace

SeccompProfile default_seccomp_profile(std::uint64_t capabilities) {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kErrno;
  profile.default_errno = EPERM;
#if defined(__x86_64__)
  profile.architectures = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
  profile.architectures = {SCMP_ARCH_ARM};
#endif
  for (const auto syscalls : kAllowed)
    allow(profile, syscalls);
  for (const auto& [capability, syscalls] : kExtras) {
    if ((capabilities & capability_bit(capability)) != 0)
      allow(profile, syscalls);
  }
  allow_personalities(profile);
  allow_sockets(profile);
  if ((capabilities & capability_bit(CAP_SYS_ADMIN)) == 0)
    allow_threads(profile);
  // The same action as the default: libseccomp needs no rule, the ENOSYS prefix reads the names.
  profile.rules.push_back({.syscalls = base::split(kForbidden, ' '),
                           .action = SeccompAction::kErrno,
                           .errno_value = EPERM,
                           .arguments = {}});
  return profile;
}

}  // namespace trine::isolation
