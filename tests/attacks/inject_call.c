// Makes a thread of another process make a system call: inject_call TID NUMBER. The thread has to be in a
// call, which is given up; the arguments are what it had there.
#include <sys/user.h>

#include "stopped_thread.h"

int main(int count, char** arguments) {
  enum { kCall = 0x050f, kCallBytes = 2 };  // syscall
  if (count != 3)
    return 2;
  const pid_t thread = atoi(arguments[1]);
  struct user_regs_struct registers;
  stop_thread(thread);
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
  let_go(thread);
  return 0;
}
