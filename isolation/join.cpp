#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "steps.h"

namespace trine::isolation {

void enter_container(Context& context) {
  const JoinPlan& join = *context.joins;
  // From here on the container sees this process, which still holds descriptors of the host's: nobody in
  // there may trace it or look into its /proc (CVE-2016-9962). exec takes it back.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    base::throw_errno("cannot hide from the container");
  // The pid namespace was entered by the caller, for it applies to children only.
  const auto namespaces = static_cast<int>(join.namespaces & ~static_cast<std::uint64_t>(CLONE_NEWPID));
  if (namespaces != 0 && ::setns(join.pidfd, namespaces) != 0)
    base::throw_errno("cannot enter the container's namespaces");
  if (join.root >= 0)
    change_root(join.root);
  if ((join.namespaces & CLONE_NEWUSER) != 0) {
    context.in_user_namespace = true;
    if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)
      base::throw_errno("cannot become root in the container's user namespace");
  }
  context.root = base::open_file("/", O_PATH | O_DIRECTORY);
}

}  // namespace trine::isolation
