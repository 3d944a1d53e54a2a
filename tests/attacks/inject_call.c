// Makes a thread of another process make a system call: inject_call TID NUMBER. The thread has to be in a
// call, which is given up; the arguments are what it had there.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char* what) {
  perror(what);
  exit(1);
}

int main(int count, char** arguments) {
  enum { kCall = 0x050f, kCallBytes = 2 };  // syscall
  if (count != 3)
    return 2;
  const pid_t thread = atoi(arguments[1]);
  struct user_regs_struct registers;
  int status;
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0)
    die("inject_call: cannot trace the thread");
  if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0 || waitpid(thread, &status, __WALL) != thread ||
      !WIFSTOPPED(status))
    die("inject_call: cannot stop the thread");
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0)
    die("inject_call: cannot read its registers");
  const long code = ptrace(PTRACE_PEEKTEXT, thread, registers.rip - kCallBytes, 0);
  if ((code & 0xffff) != kCall) {
    fprintf(stderr, "inject_call: the thread is in no call\n");
    return 1;
  }
  registers.rip -= kCallBytes;
  registers.rax = strtoul(arguments[2], NULL, 10);
  registers.orig_rax = -1UL;  // nothing is begun again
  if (ptrace(PTRACE_SETREGS, thread, 0, &registers) != 0)
    die("inject_call: cannot set its registers");
  if (ptrace(PTRACE_DETACH, thread, 0, 0) != 0)
    die("inject_call: cannot let it go");
  return 0;
}
