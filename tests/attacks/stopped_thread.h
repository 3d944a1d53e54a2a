// A thread of another process, stopped by ptrace for as long as a tool works on it.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void stop_thread(pid_t thread) {
  int status;
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0)
    die("cannot trace the thread");
  if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0 || waitpid(thread, &status, __WALL) != thread ||
      !WIFSTOPPED(status))
    die("cannot stop the thread");
}

static void let_go(pid_t thread) {
  if (ptrace(PTRACE_DETACH, thread, 0, 0) != 0)
    die("cannot let the thread go");
}
