#include <fcntl.h>
#include <sched.h>

#include "base/error.h"
#include "base/file.h"
#include "steps.h"

namespace trine::isolation {

void enter_time_namespace(Context& context) {
  if (context.plan.time_offsets.empty())
    return;  // clone has made it
  // The offsets can be written as long as nobody is in the namespace: unshare(2) makes it for children only.
  // Source: time_namespaces(7).
  if (::unshare(CLONE_NEWTIME) != 0)
    base::throw_errno("cannot make a time namespace");
  for (const auto& offset : context.plan.time_offsets) {
    base::write_value("/proc/self/timens_offsets", offset.clock + " " + std::to_string(offset.seconds) + " " +
                                                       std::to_string(offset.nanoseconds));
  }
  const base::UniqueFd made = base::open_file("/proc/self/ns/time_for_children", O_RDONLY);
  if (::setns(made.get(), CLONE_NEWTIME) != 0)
    base::throw_errno("cannot enter the new time namespace");
}

}  // namespace trine::isolation
