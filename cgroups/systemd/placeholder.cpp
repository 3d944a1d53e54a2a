#include "../placeholder.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"

namespace trine::cgroups {
namespace {

[[noreturn]] void wait_for_the_end(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(0);
  // Someone may wait for the end of a pipe that the parent has open.
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  for (;;)
    ::pause();
}

}  // namespace

Placeholder::Placeholder() : owner_(::getpid()), process_(base::clone_process({})) {
  if (!process_)
    wait_for_the_end(owner_);
}

Placeholder::~Placeholder() {
  if (::getpid() != owner_)
    return;  // a copy, in a child
  process_.signal(SIGKILL);
  try {
    process_.wait();
  } catch (const base::Error&) {
    // Someone else in this program has reaped it.
  }
}

}  // namespace trine::cgroups
