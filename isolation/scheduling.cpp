#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "steps.h"

namespace trine::isolation {
namespace {

/// struct sched_attr of linux/sched/types.h, which cannot be included beside <sched.h>.
struct SchedulerAttributes {
  std::uint32_t size = sizeof(SchedulerAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  std::uint32_t util_min = 0;
  std::uint32_t util_max = 0;
};
static_assert(sizeof(SchedulerAttributes) == 56, "SCHED_ATTR_SIZE_VER1");

// Of linux/ioprio.h, which is C alone.
constexpr unsigned kClassShift = 13;
constexpr int kProcessGroup = 2;  // IOPRIO_WHO_PGRP

void set_scheduler(const Scheduler& scheduler) {
  SchedulerAttributes attributes;
  attributes.policy = scheduler.policy;
  attributes.flags = scheduler.flags;
  attributes.nice = scheduler.nice;
  attributes.priority = scheduler.priority;
  attributes.runtime = scheduler.runtime;
  attributes.deadline = scheduler.deadline;
  attributes.period = scheduler.period;
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
    return;
  base::throw_errno("cannot set the scheduler",
                    errno == EPERM
                        ? "it takes CAP_SYS_NICE on the host; a real-time policy also takes a cgroup "
                          "with real-time run time (linux.resources.cpu.realtimeRuntime) on cgroup v1"
                        : "");
}

void set_io_priority(const IoPriority& priority) {
  const unsigned value = priority.io_class << kClassShift | priority.level;
  // Group 0: our own, which the session has made.
  if (::syscall(SYS_ioprio_set, kProcessGroup, 0, value) == 0)
    return;
  base::throw_errno("cannot set the I/O priority",
                    errno == EPERM ? "the real-time class takes CAP_SYS_NICE on the host" : "");
}

}  // namespace

void set_scheduling(Context& context) {
  const Process& process = context.plan.process;
  if (process.io_priority)
    set_io_priority(*process.io_priority);
  if (process.scheduler)
    set_scheduler(*process.scheduler);
}

}  // namespace trine::isolation
