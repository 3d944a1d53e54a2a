#include <set>

#include "validate.h"

namespace trine::runtime::oci {
namespace {

void check_rlimits(const std::vector<Rlimit>& rlimits, const std::string& field) {
  std::set<std::string> limits;
  for (const auto& limit : rlimits) {
    if (!limits.insert(limit.type).second)
      refuse(field, "sets " + limit.type + " twice");
    if (limit.soft > limit.hard)
      refuse(field, "sets " + limit.type + " with a soft limit above the hard one");
  }
}

/// What sched_setattr(2) would call "Invalid argument".
void check_scheduler(const Scheduler& scheduler, const std::string& field) {
  const bool realtime = scheduler.policy == "SCHED_FIFO" || scheduler.policy == "SCHED_RR";
  const bool deadline = scheduler.policy == "SCHED_DEADLINE";
  if (scheduler.nice < -20 || scheduler.nice > 19)
    refuse(field + ".nice", "must be between -20 and 19");
  if (!realtime && scheduler.priority != 0)
    refuse(field + ".priority", "is for SCHED_FIFO and SCHED_RR, not for " + scheduler.policy);
  if (realtime && (scheduler.priority < 1 || scheduler.priority > 99))
    refuse(field + ".priority", "must be between 1 and 99 for " + scheduler.policy);
  const bool times = scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0;
  if (!deadline && times)
    refuse(field, "has a runtime, deadline or period, which are for SCHED_DEADLINE");
  if (deadline && (scheduler.runtime == 0 || scheduler.deadline == 0))
    refuse(field, "needs a runtime and a deadline for SCHED_DEADLINE");
}

}  // namespace

void check_process(const Process& process, const std::string& where) {
  if (process.args.empty() || process.args.front().empty())
    refuse(where + "args", "names no program");
  if (!is_absolute(process.cwd))
    refuse(where + "cwd", "'" + process.cwd + "' is not an absolute path");
  check_rlimits(process.rlimits, where + "rlimits");
  if (process.oom_score_adj.value_or(0) < -1000 || process.oom_score_adj.value_or(0) > 1000)
    refuse(where + "oomScoreAdj", "must be between -1000 and 1000");
  if (process.scheduler)
    check_scheduler(*process.scheduler, where + "scheduler");
  if (process.io_priority && (process.io_priority->priority < 0 || process.io_priority->priority > 7))
    refuse(where + "ioPriority.priority", "must be between 0 and 7");
}

}  // namespace trine::runtime::oci
