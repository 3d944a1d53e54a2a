#include <fcntl.h>
#include <sched.h>

#include "base/error.h"
#include "base/file.h"
#include "steps.h"

namespace trine::isolation {

void enter_time_namespace(Context& context) {
  if (context.plan.time_offsets.empty())
    return;  // clone has made it
  // Its clocks can be set as long as nobody is in it: unshare(2) makes it for children only. The caller does
  // it, for the /proc files of one who has become root in a user namespace are not his own. Source:
  // time_namespaces(7).
  if (::unshare(CLONE_NEWTIME) != 0)
    base::throw_errno("cannot make a time namespace");
  context.channel.send(MessageKind::kTimeMade);
  while (!context.time_set)
    receive_one(context);
  const base::UniqueFd made = base::open_file("/proc/self/ns/time_for_children", O_RDONLY);
  if (::setns(made.get(), CLONE_NEWTIME) != 0)
    base::throw_errno("cannot enter the new time namespace");
}

}  // namespace trine::isolation
