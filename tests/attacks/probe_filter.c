// Prints the names of the system calls that the filter of another process's thread lets pass: probe_filter
// TID. The filter is taken from the thread as the kernel runs it, and is tried in children, one for each
// call, whose arguments are all bits set: a call that the filter allows for some arguments only may be
// missing.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stopped_thread.h"

// The thread's only filter; one that has several is refused.
static struct sock_fprog filter_of(pid_t thread) {
  struct sock_fprog program = {0};
  stop_thread(thread);
  const long length = ptrace(PTRACE_SECCOMP_GET_FILTER, thread, 0, 0);
  if (length < 0)
    die("probe_filter: cannot read its filter");
  program.len = length;
  program.filter = calloc(length, sizeof *program.filter);
  if (program.filter == NULL || ptrace(PTRACE_SECCOMP_GET_FILTER, thread, 0, program.filter) != length)
    die("probe_filter: cannot read its filter");
  if (ptrace(PTRACE_SECCOMP_GET_FILTER, thread, 1, 0) >= 0) {
    fprintf(stderr, "probe_filter: the thread has several filters\n");
    exit(1);
  }
  let_go(thread);
  return program;
}

static int passes(const struct sock_fprog* program, long call) {
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit no_core = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) != 0)
      _exit(1);
    syscall(call, -1L, -1L, -1L, -1L, -1L, -1L);
    _exit(0);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child)
    die("probe_filter: cannot try a call");
  // exit_group(-1) ends with 255, a signal's return without one with another signal.
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
    fprintf(stderr, "probe_filter: the filter cannot be set\n");
    exit(1);
  }
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(int count, char** arguments) {
  enum { kCalls = 1024, kX32 = 0x40000000 };
  if (count != 2)
    return 2;
  const struct sock_fprog program = filter_of(atoi(arguments[1]));
  for (long call = 0; call < kCalls; ++call) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    if (passes(&program, call))
      name != NULL ? puts(name) : (void)printf("%ld\n", call);
    if (passes(&program, call | kX32))
      printf("x32:%ld\n", call);
    free(name);
  }
  return 0;
}
